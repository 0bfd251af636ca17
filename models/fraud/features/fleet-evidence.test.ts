import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { dayOf, type FleetPower, weekdayOf } from '../fleet-power.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { lookAt, rowSoFar } from './day-so-far.js';
import { DAY_EVIDENCE, type DayEvidence, EVIDENCE_LIMIT, EVIDENCE_WIDTH } from './evidence.js';
import { ROW_WIDTH } from './evidence-row.js';
import { gatherFleetEvidence } from './fleet-evidence.js';

const fleet = createSmallFleet();
const evidence = gatherFleetEvidence(fleet);
const LAST = fleet.days - 1;
const THIEF = 3;

/** Every slot from a day on drawn anew from all of them. */
function shuffledFrom(of: FleetPower, day: number): FleetPower {
  const random = seededRandom(4);
  const from = day * of.slotsPerDay;
  const shuffle = (powerW: Float32Array) =>
    powerW.map((watts, slot) =>
      slot < from ? watts : (powerW[from + Math.floor(random() * (powerW.length - from))] as number) * 3 * random(),
    );
  return { ...of, meters: of.meters.map((meter) => ({ ...meter, powerW: shuffle(meter.powerW) })) };
}

test('a future that is shuffled changes no evidence of the days before it', () => {
  const day = 90;
  const changed = gatherFleetEvidence(shuffledFrom(fleet, day));
  for (const meter of fleet.meters.keys()) {
    for (let past = 0; past < day; past++) expect(changed.row(meter, past)).toEqual(evidence.row(meter, past));
    expect(changed.row(meter, day)).not.toEqual(evidence.row(meter, day));
  }
});

test('a meter is judged once it has three weeks to be compared with', () => {
  const days = Array.from({ length: fleet.days }, (_, day) => evidence.row(0, day) !== undefined);
  expect(days.indexOf(true)).toBe(48);
  expect(days.slice(48).every(Boolean)).toBe(true);
});

test('evidence stays within its limits and is mostly nothing on honest days', () => {
  let none = 0;
  let all = 0;
  for (const meter of fleet.meters.keys()) {
    for (let day = 48; day < fleet.days; day++) {
      for (const value of evidence.row(meter, day) ?? []) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(EVIDENCE_LIMIT);
        all += 1;
        if (value < 1) none += 1;
      }
    }
  }
  expect(none / all).toBeGreaterThan(0.8);
});

const shown = (report: (watts: number, slot: number) => number): Record<DayEvidence, number> => {
  const row = gatherFleetEvidence(withReport(fleet, THIEF, { fromDay: 110, report })).row(THIEF, LAST);
  return Object.fromEntries(DAY_EVIDENCE.map((name, index) => [name, row?.[index] ?? Number.NaN])) as Record<
    DayEvidence,
    number
  >;
};

test('each way of stealing shows where it should', () => {
  expect(shown((watts) => watts * 0.3)).toMatchObject({ level_drop: EVIDENCE_LIMIT, whole_drop: EVIDENCE_LIMIT });
  expect(shown((watts) => Math.min(watts, 200)).ties_at_cap).toBeGreaterThan(4);
  expect(shown((watts) => Math.max(watts - 150, 0)).new_zeros).toBeGreaterThan(4);
  expect(shown((watts, slot) => (slot % 48 < 16 ? 0 : watts)).zero_run).toBeGreaterThan(4);
});

test('who uses more shows nothing', () => {
  const honest = shown((watts) => watts * 2.5);
  expect(Object.values(honest).every((value) => value < 1)).toBe(true);
});

test('what lowers all meters of a fleet lowers none of them', () => {
  const cold = (powerW: Float32Array) => powerW.map((watts, slot) => (slot < 110 * 48 ? watts : watts * 0.6));
  const all = { ...fleet, meters: fleet.meters.map((meter) => ({ ...meter, powerW: cold(meter.powerW) })) };
  const level = gatherFleetEvidence(all).row(THIEF, LAST)?.[DAY_EVIDENCE.indexOf('level_drop')] ?? Number.NaN;
  expect(level).toBeLessThan(3);
  expect(shown((watts) => watts * 0.6).level_drop).toBeGreaterThan(3);
});

test('at the end of a day the last slot has the row of that day; within it, only what has passed counts', () => {
  const day = 100;
  for (const meter of fleet.meters.keys()) {
    const reference = evidence.reference(meter, day);
    if (reference === undefined) throw new Error('not judged');
    const past = {
      reference,
      evidence: evidence.evidence(meter).slice((day - 6) * EVIDENCE_WIDTH, day * EVIDENCE_WIDTH),
    };
    const { powerW } = fleet.meters[meter] as { powerW: Float32Array };
    const slot = { past, powerW: dayOf(powerW, 48, day), weekday: weekdayOf(fleet, day) };
    expect(rowSoFar(slot, lookAt(slot), evidence.peers(day))).toEqual(evidence.row(meter, day));
    const atNoon = { ...slot, powerW: powerW.slice(day * 48 - 24, day * 48 + 24) };
    expect(rowSoFar(atNoon, lookAt(atNoon), evidence.peers(day))).toHaveLength(ROW_WIDTH);
  }
});

test('a theft that outlasts the reference is remembered where its days are flagged, and forgotten where they are not', () => {
  const long = createSmallFleet({ meters: 8, days: 200 });
  const stolen = withReport(long, THIEF, { fromDay: 90, report: (watts) => watts * 0.4 });
  const level = DAY_EVIDENCE.indexOf('level_drop');
  const isFlagged = (row: Float32Array) => (row[level] as number) > 4;
  const after = (of: ReturnType<typeof gatherFleetEvidence>) => of.row(THIEF, 199)?.[level] ?? Number.NaN;
  expect(after(gatherFleetEvidence(stolen))).toBeLessThan(2);
  expect(after(gatherFleetEvidence(stolen, isFlagged))).toBeGreaterThan(6);
});
