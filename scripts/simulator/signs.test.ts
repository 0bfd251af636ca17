import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { DAY_MS } from '../../agent/domain/slot.js';
import { trainDayModel } from '../../models/fraud/day-model.js';
import { gatherFleetEvidence } from '../../models/fraud/features/fleet-evidence.js';
import { dayFacts } from '../../models/fraud/findings/day-facts.js';
import { classify, type Refinement } from '../../models/fraud/findings/finding.js';
import { sentenceOf } from '../../models/fraud/findings/sentence.js';
import type { FleetMeter, FleetPower } from '../../models/fraud/fleet-power.js';
import { createFleet, type SimulatedMeter } from './fleet.js';
import type { Theft } from './thefts.js';

const SLOTS = 48;
const SLOT_MS = DAY_MS / SLOTS;
const DAYS = 104;
const FROM_MS = Date.UTC(2026, 0, 5);
const THEFT_DAY = 98;

const deed = (customer: number, of: Theft['deed']): Theft => ({
  customer,
  // In the middle of a day, so that a day holds the register before it was set back and afterwards.
  fromMs: FROM_MS + (THEFT_DAY + 0.5) * DAY_MS,
  toMs: FROM_MS + DAYS * DAY_MS,
  deed: of,
});
const OPENED = deed(1, { kind: 'tamper_flag', share: 0.4 });
const SET_BACK = deed(2, { kind: 'register_rollback', wh: 80_000 });
const HONEST = 3;

/** What the meter sends, at the end of each slot, as a fleet is told of it. */
function heard(meter: SimulatedMeter): FleetMeter {
  const powerW = new Float32Array(DAYS * SLOTS);
  const signs = {
    lowestVoltageV: new Float32Array(DAYS).fill(Number.POSITIVE_INFINITY),
    tamperFlag: new Uint8Array(DAYS),
    rolledBackWh: new Float32Array(DAYS),
  };
  let registerWh = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < DAYS * SLOTS; slot++) {
    const day = Math.floor(slot / SLOTS);
    const { reading, conditions } = meter.shown(FROM_MS + slot * SLOT_MS + SLOT_MS / 2);
    powerW[slot] = reading.power_w;
    signs.lowestVoltageV[day] = Math.min(signs.lowestVoltageV[day] as number, reading.voltage_v);
    if (conditions.includes('tamper')) signs.tamperFlag[day] = 1;
    signs.rolledBackWh[day] = (signs.rolledBackWh[day] as number) + Math.max(registerWh - reading.import_wh, 0);
    registerWh = reading.import_wh;
  }
  return { meter: meter.id, powerW, signs };
}

const meters = createFleet({
  customers: 8,
  feeders: 1,
  seed: 6,
  fromMs: FROM_MS,
  stepMinutes: 30,
  thefts: [OPENED, SET_BACK],
})
  .filter(({ kind }) => kind === 'customer')
  .map(heard);
const fleet: FleetPower = { startMs: epochMs(FROM_MS), slotsPerDay: SLOTS, days: DAYS, meters, feeders: [] };
const evidence = gatherFleetEvidence(fleet);
const model = trainDayModel({ fleet, clean: { from: 0, to: THEFT_DAY - 1 }, seed: 1, trees: 20 });

function told(meter: number, day: number): { readonly refinement: Refinement | null; readonly sentences: string[] } {
  const facts = dayFacts({ fleet, evidence, model }, { meter, day });
  if (facts === undefined) throw new Error('the day was not judged');
  return {
    refinement: classify(facts).refinement,
    sentences: [sentenceOf(facts, 'en'), sentenceOf(facts, 'fr')],
  };
}

test('a simulated meter that was opened says so on every day from then on, and nobody else does', () => {
  const opened = told(OPENED.customer, THEFT_DAY + 2);
  expect(opened.refinement).toBe('tamper_flag');
  expect(opened.sentences[0]).toContain('the meter itself reports that it was tampered with');
  expect(opened.sentences[1]).toContain('le compteur signale lui-même une manipulation');
  expect(told(OPENED.customer, THEFT_DAY - 1).refinement).not.toBe('tamper_flag');
  expect(told(HONEST, THEFT_DAY + 2).refinement).not.toBe('tamper_flag');
});

test('a simulated register that was set back is told on the day on which it was', () => {
  const { refinement, sentences } = told(SET_BACK.customer, THEFT_DAY);
  expect(refinement).toBe('register_rollback');
  // What was used between two readings hides a little of it.
  expect(sentences[0]).toMatch(/its register went back by (79|80)\.\d\u00a0kWh/);
  expect(sentences[1]).toMatch(/son index a reculé de (79|80),\d\u00a0kWh/);
  for (const [meter, day] of [
    [SET_BACK.customer, THEFT_DAY - 1],
    [SET_BACK.customer, THEFT_DAY + 1],
    [HONEST, THEFT_DAY],
  ] as const)
    expect(told(meter, day).refinement).not.toBe('register_rollback');
});
