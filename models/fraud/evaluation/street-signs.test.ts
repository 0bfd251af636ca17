import { expect, test } from 'vitest';
import { epochMs } from '../../../agent/domain/brand.js';
import { seededRandom } from '../../../agent/domain/clock.js';
import { DAY_MS } from '../../../agent/domain/slot.js';
import { applyAttack } from '../../fleet/attacks.js';
import { createStreet } from '../../fleet/street.js';
import { classify, type DayFacts } from '../findings/finding.js';
import { sentenceOf } from '../findings/sentence.js';
import type { FleetMeter, FleetPower } from '../fleet-power.js';
import { streetSigns } from './street-signs.js';
import { scoreFleet } from './theft-scores.js';

const SEED = 3;
const SLOTS = 48;
const DAYS = 112;
const FIRST_DAY = Date.UTC(2023, 0, 1) / DAY_MS;
const THEFT_FROM = 102;
const THIEF = 4;

const street = createStreet({ seed: SEED, customers: 10, feeders: 1, stepMinutes: 30, outagesPerMonth: 6 });
const outageDays = Array.from({ length: DAYS }, (_, day) => street.outagesOn(0, FIRST_DAY + day).length > 0);

function daysOf(powerOf: (day: number) => Float32Array): Float32Array {
  const powerW = new Float32Array(DAYS * SLOTS);
  for (let day = 0; day < DAYS; day++) powerW.set(powerOf(FIRST_DAY + day), day * SLOTS);
  return powerW;
}

/** Everything goes past the thief's meter, which stays at the network. */
function bypassed(flowsW: Float32Array): Float32Array {
  const stolen = { values: flowsW.subarray(THEFT_FROM * SLOTS), stepsPerDay: SLOTS };
  const reported = flowsW.slice();
  reported.set(applyAttack(stolen, { kind: 'bypass', left: 0 }, seededRandom(1)), THEFT_FROM * SLOTS);
  return reported;
}

const meters = Array.from({ length: street.customers }, (_, customer): FleetMeter => {
  const flowsW = daysOf((day) => street.customerW(customer, day));
  const signs = streetSigns({ street, seed: SEED, customer, firstDay: FIRST_DAY, flowsW });
  const powerW = customer === THIEF ? bypassed(flowsW) : flowsW;
  return { meter: `home-${customer}`, feeder: '0', powerW, signs };
});
const feeders = [{ feeder: '0', powerW: daysOf((day) => street.feederW(0, day)) }];
const fleet: FleetPower = { startMs: epochMs(FIRST_DAY * DAY_MS), slotsPerDay: SLOTS, days: DAYS, meters, feeders };

test('the voltage is that of the network, and none on a day with an outage', () => {
  expect(outageDays.filter(Boolean).length).toBeGreaterThan(5);
  for (const { signs } of meters) {
    for (const [day, isOut] of outageDays.entries()) {
      const volts = signs?.lowestVoltageV?.[day] ?? Number.NaN;
      if (isOut) expect(volts).toBe(0);
      else expect(volts > 215 && volts < 235).toBe(true);
    }
  }
});

test('a full bypass reads as a stopped meter in both languages, but not on a day whose voltage was gone', () => {
  const { facts } = scoreFleet(fleet, { from: 0, to: THEFT_FROM - 3 }, 1);
  const factsOn = (day: number): DayFacts => {
    const told = facts(THIEF, day);
    if (told === undefined) throw new Error(`day ${day} was not judged`);
    return told;
  };
  const stolen = [...outageDays.keys()].slice(THEFT_FROM);
  const [dark, lit] = [stolen.filter((day) => outageDays[day]), stolen.filter((day) => !outageDays[day])];
  expect(dark.length).toBeGreaterThan(0);
  for (const day of dark) expect(classify(factsOn(day)).refinement).not.toBe('stopped_meter');
  for (const day of lit) {
    expect(classify(factsOn(day)).refinement).toBe('stopped_meter');
    expect(sentenceOf(factsOn(day), 'en')).toMatch(
      /stood still for 100\u00a0% of the day with at least 2[23]\d\u00a0V/,
    );
    expect(sentenceOf(factsOn(day), 'fr')).toMatch(
      /resté arrêté 100\u00a0% de la journée avec au moins 2[23]\d\u00a0V/,
    );
  }
});
