import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { normalEquations, solveNonnegative } from './nonnegative-least-squares.js';
import { attributeLoss, type Suspect, signaturesOf } from './signatures.js';

const SLOTS = 96;
const random = seededRandom(12);
const column = (): Float64Array => Float64Array.from({ length: SLOTS }, () => 50 + 900 * random());

/** Somebody who reports a share, somebody at a cap, somebody with hours of nothing, and two who report as usual. */
function suspects(): Suspect[] {
  return Array.from({ length: 5 }, (_, index) => {
    const expectedW = column();
    const report = [
      (watts: number) => watts * 0.6,
      (watts: number) => Math.min(watts, 400),
      (watts: number, at: number) => (at % 3 === 0 ? 0 : watts),
    ][index];
    const reportedW = expectedW.map((watts, at) => (report?.(watts, at) ?? watts) * (0.9 + 0.2 * random()));
    return { reportedW: index === 1 ? reportedW.map((watts) => Math.min(watts, 400)) : reportedW, expectedW };
  });
}

const mixed = (columns: readonly Float64Array[], weights: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: SLOTS }, (_, at) =>
    columns.reduce((sum, values, index) => sum + (weights[index] as number) * (values[at] as number), 0),
  );
const sum = (values: Float64Array): number => values.reduce((all, value) => all + value, 0);
const square = (values: Float64Array): number => values.reduce((all, value) => all + value * value, 0);

test('there is a signature for what a meter shows, and none for what it does not', () => {
  const count = suspects().map((suspect) => signaturesOf(suspect).length);
  expect(count).toEqual([2, 3, 4, 2, 2]);
});

test('shares and what each explains alone are those of the regressions themselves', () => {
  for (let round = 0; round < 20; round++) {
    const signatures = suspects().map(signaturesOf);
    const columns = signatures.flat();
    const lossW = mixed(
      columns,
      Float64Array.from(columns, () => Math.max(random() - 0.7, 0)),
    ).map((watts) => watts + 60 * (random() - 0.5));
    const { shares, alone } = attributeLoss(signatures, lossW);
    const weights = solveNonnegative(normalEquations(columns, lossW));
    let from = 0;
    for (const [index, own] of signatures.entries()) {
      const explained = mixed(own, weights.subarray(from, from + own.length));
      expect(shares[index]).toBeCloseTo(sum(explained) / sum(lossW.map((watts) => Math.max(watts, 0))), 10);
      const byOwn = mixed(own, solveNonnegative(normalEquations(own, lossW)));
      const left = lossW.map((watts, at) => watts - (byOwn[at] as number));
      expect(alone[index]).toBeCloseTo(1 - square(left) / square(lossW), 10);
      from += own.length;
    }
  }
});

test('no loss is nobody’s', () => {
  const { shares, alone } = attributeLoss(suspects().map(signaturesOf), new Float64Array(SLOTS));
  expect([...shares, ...alone].every((value) => value === 0)).toBe(true);
});
