import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import { ERRORS } from '../../agent/domain/errors.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import { DECLARED_SCORE } from './calibration.js';
import { calibrateFor, packDayModel, parseDayModel, scoreDay, trainDayModel } from './day-model.js';
import { ROW_WIDTH } from './features/evidence-row.js';
import { gatherFleetEvidence } from './features/fleet-evidence.js';
import { fleetOfSeries } from './fleet-of-series.js';
import { createSmallFleet, withReport } from './generated-fleet.js';

const fleet = createSmallFleet();
const clean = { from: 0, to: 109 };
const model = trainDayModel({ fleet, clean, seed: 1 });
const THIEF = 5;

const scoresOf = (of: typeof fleet, meter: number) => {
  const evidence = gatherFleetEvidence(of);
  return [115, 116, 117, 118, 119].map((day) =>
    scoreDay(model, evidence.row(meter, day) ?? new Float32Array(ROW_WIDTH)),
  );
};

test('a week of theft is above the declared score, with the evidence that led to it; honest weeks are below', () => {
  const stolen = withReport(fleet, THIEF, { fromDay: 112, report: (watts) => watts * 0.25 });
  for (const { score, contributions } of scoresOf(stolen, THIEF)) {
    expect(score).toBeGreaterThan(DECLARED_SCORE);
    const strongest = contributions.slice(0, 3).map(({ feature }) => feature);
    expect(strongest.some((feature) => feature === 'level_drop' || feature === 'whole_drop')).toBe(true);
    expect(contributions.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  }
  for (const { score } of scoresOf(stolen, 0)) expect(score).toBeLessThan(DECLARED_SCORE);
});

const evidence = gatherFleetEvidence(fleet);

function alarmShareOf(of: typeof model, gathered = evidence): number {
  const scores = fleet.meters.flatMap((_, meter) =>
    Array.from({ length: clean.to + 1 }, (__, day) => gathered.row(meter, day) ?? []).filter((row) => row.length > 0),
  );
  return scores.filter((row) => scoreDay(of, Float32Array.from(row)).score >= DECLARED_SCORE).length / scores.length;
}

test('0.6 is reached by the declared share of clean days, or by the contamination that is asked for', () => {
  expect(alarmShareOf(model)).toBeLessThanOrEqual(0.01);
  expect(alarmShareOf(trainDayModel({ fleet, clean, seed: 1, alarmShare: 0.02, evidence }))).toBeCloseTo(0.02, 2);
});

test('a contamination holds for a fleet that is odder than the one it was trained on, and changes no raw score', () => {
  const random = seededRandom(2);
  const odder = {
    ...fleet,
    meters: fleet.meters.map((meter) => ({
      ...meter,
      powerW: meter.powerW.map((watts, slot) => (slot % 48 === 0 && random() < 0.2 ? 0 : watts)),
    })),
  };
  for (let day = 60; day < fleet.days; day += 11) {
    for (const { powerW } of odder.meters) powerW.fill(0, day * 48, (day + 1) * 48);
  }
  const gathered = gatherFleetEvidence(odder);
  expect(alarmShareOf(model, gathered)).toBeGreaterThan(0.03);
  const asked = calibrateFor(model, { fleet: odder, clean, alarmShare: 0.01, evidence: gathered });
  expect(alarmShareOf(asked, gathered)).toBeLessThanOrEqual(0.01);
  expect(asked).toMatchObject({ forest: model.forest, rarity: model.rarity });
});

test('packed and read it scores as before; for other evidence it is refused', () => {
  const file = packDayModel(model);
  const read = parseDayModel(JSON.parse(JSON.stringify(file)) as typeof file);
  if ('reason' in read) throw new Error(read.reason);
  const row = Float32Array.from({ length: ROW_WIDTH }, (_, index) => index % 8);
  expect(scoreDay(read, row)).toEqual(scoreDay(model, row));
  expect(parseDayModel({ ...file, meanDays: [3] })).toEqual({ reason: expect.stringContaining('other evidence') });
});

test('too little history is named, and how much a model of days needs', () => {
  expect(() => trainDayModel({ fleet, clean: { from: 0, to: 50 }, seed: 1 })).toThrow(
    expect.objectContaining({ code: 'model.no_data' }),
  );
  expect(ERRORS['model.no_data'].action).toMatch(/a model of days needs three months of a few meters/);
  // So long is indeed enough for a few.
  const few = createSmallFleet({ meters: 6, days: 92 });
  expect(() => trainDayModel({ fleet: few, clean: { from: 0, to: 91 }, seed: 1, trees: 2 })).not.toThrow();
});

const odd = (name: string, change: (powerW: Float32Array) => Float32Array) =>
  [
    name,
    {
      ...fleet,
      meters: fleet.meters.map((one, index) => (index === THIEF ? { ...one, powerW: change(one.powerW) } : one)),
    },
  ] as const;

test.each([
  odd('no history', (powerW) => powerW.slice().fill(Number.NaN, 0, 115 * 48)),
  odd('nothing at all', (powerW) => powerW.map(() => Number.NaN)),
  odd('all zeros', (powerW) => powerW.map(() => 0)),
  odd('a constant', (powerW) => powerW.map(() => 230)),
  odd('one value a day', (powerW) => powerW.map((watts, slot) => (slot % 48 === 12 ? watts : Number.NaN))),
  odd('negative', (powerW) => powerW.map((watts) => -watts)),
  odd('enormous', (powerW) => powerW.map((watts) => watts * 1e9)),
  odd('a NaN here and there', (powerW) => powerW.map((watts, slot) => (slot % 7 === 0 ? Number.NaN : watts))),
])('a meter with %s has finite scores or none, and disturbs no other', (_, disturbed) => {
  const evidence = gatherFleetEvidence(disturbed);
  for (const meter of disturbed.meters.keys()) {
    for (let day = 100; day < disturbed.days; day++) {
      const row = evidence.row(meter, day);
      if (row === undefined) continue;
      expect(row.every(Number.isFinite)).toBe(true);
      const { raw, score } = scoreDay(model, row);
      expect(Number.isFinite(raw) && Number.isFinite(score)).toBe(true);
    }
    if (meter !== THIEF) expect(evidence.row(meter, 119)).toBeDefined();
  }
});

test('more meters than half-hours of a day, and one meter alone, are judged', () => {
  for (const meters of [60, 1]) {
    const other = createSmallFleet({ meters, feeders: 1, days: 60 });
    const evidence = gatherFleetEvidence(other);
    for (const meter of other.meters.keys()) expect(evidence.row(meter, 59)?.every(Number.isFinite)).toBe(true);
  }
});

test('series that begin and end apart become one fleet, missing where they are missing', () => {
  const startMs = epochMs(1_704_067_200_000);
  const one = { meter: 'a' as MeterId, startMs, powerW: new Float32Array(600).fill(1) };
  const late = {
    meter: 'b' as MeterId,
    startMs: epochMs(startMs + 100 * SLOT_MS),
    powerW: new Float32Array(600).fill(2),
  };
  const stolen = {
    ...late,
    meter: 'c' as MeterId,
    excludedMs: [[startMs + 200 * SLOT_MS, startMs + 300 * SLOT_MS]] as const,
  };
  const { days, meters, slotsPerDay } = fleetOfSeries([one, late, stolen]);
  expect(meters[2]?.powerW.slice(200, 300).every(Number.isNaN)).toBe(true);
  expect([meters[2]?.powerW[199], meters[2]?.powerW[300]]).toEqual([2, 2]);
  expect([days, slotsPerDay]).toEqual([2, 288]);
  expect(meters[0]?.powerW.every((watts) => watts === 1)).toBe(true);
  expect(meters[1]?.powerW.indexOf(2)).toBe(100);
  expect(meters[1]?.powerW.slice(0, 100).every(Number.isNaN)).toBe(true);
});
