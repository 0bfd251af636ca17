import { expect, test } from 'vitest';
import { systemClock } from '../../agent/domain/clock.js';
import { parseOptions } from './options.js';
import { planOf } from './plan.js';
import { createSimulation } from './run.js';

function theftsOf(...given: readonly string[]) {
  const plan = planOf(
    parseOptions(['--start', '2026-03-02T00:00:00Z', '--days', '10', '--speed', 'max', ...given], systemClock),
    systemClock,
  );
  if ('contradiction' in plan) throw new Error(plan.contradiction);
  const signal = new AbortController().signal;
  const simulation = createSimulation({ ...plan, clock: systemClock, signal, onProgress: () => undefined });
  return { plan, thefts: [...simulation.truth.thefts()] };
}

test('who changed places with whom is told by the names of their meters', () => {
  const { plan, thefts } = theftsOf('--meters', '12', '--thefts', '2', '--deeds', 'swapped_meters');
  const nameOf = (customer: number) => `meter-${String(customer + 1).padStart(3, '0')}`;
  expect(thefts.map(({ meter, deed }) => [meter, deed])).toEqual(
    plan.thefts.map(({ customer, deed }) => [
      nameOf(customer),
      { kind: 'swapped_meters', with: nameOf(deed.kind === 'swapped_meters' ? deed.with : Number.NaN) },
    ]),
  );
});

test('who steals and says nothing is a thief as well', () => {
  const fleet = ['--meters', '6', '--thefts', '6', '--deeds', 'bypass', '--format', 'tasmota'];
  const names = theftsOf(...fleet, '--missing', '5').thefts.map(({ meter }) => meter);
  expect(names.sort()).toEqual([1, 2, 3, 4, 5, 6].map((number) => `tasmota:meter-00${number}`));
});
