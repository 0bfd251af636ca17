import { expect, test } from 'vitest';
import { weekdayOf } from '../fleet-power.js';
import { simulateBench } from './simulated-bench.js';

const { fleet, labels, street, streetFromDay, swaps, testFromDay } = simulateBench(1);
const days = Array.from({ length: fleet.days }, (_, day) => day);
const homes = fleet.meters.map((_, customer) => customer);
const feederOf = (meter: string) => fleet.meters.find((one) => one.meter === meter)?.feeder;
const sumOf = (values: Float32Array) => values.reduce((sum, watts) => sum + watts, 0);

test('homes feed in, charge vehicles, go away and change hands', () => {
  const traits = homes.map((customer) => days.map((day) => street.traitsOf(customer, streetFromDay + day)));
  const feedIn = fleet.meters.filter(({ powerW }) => powerW.some((watts) => watts < -100));
  expect(feedIn.length).toBeGreaterThan(1);
  expect(traits.filter((year) => year.some((one) => one?.vehicle != null)).length).toBeGreaterThan(1);
  expect(traits.filter((year) => year.some((one) => (one?.holidayWeeks ?? 0) > 2)).length).toBeGreaterThan(10);
  // Either somebody else lives there by the end of the year, or nobody does for a while.
  expect(traits.filter((year) => new Set(year).size > 1).length).toBeGreaterThan(2);
  expect(weekdayOf(fleet, 0)).toBe(6);
});

test('feeders fail at times, with all of their homes, and lose by themselves', () => {
  const cuts = [...Array(street.feeders).keys()].flatMap((feeder) =>
    days.flatMap((day) => street.outagesOn(feeder, streetFromDay + day)),
  );
  expect(cuts.length).toBeGreaterThan(20);
  for (const { feeder, powerW } of fleet.feeders) {
    const reported = fleet.meters.filter((meter) => meter.feeder === feeder).map((meter) => sumOf(meter.powerW));
    expect(sumOf(powerW)).toBeGreaterThan(1.005 * reported.reduce((sum, watts) => sum + watts, 0));
  }
});

test('every meter measures a voltage, thieves too, and none on the days on which its feeder failed', () => {
  for (const { feeder, signs } of fleet.meters) {
    const dark = days.filter((day) => signs?.lowestVoltageV?.[day] === 0);
    expect(dark).toEqual(days.filter((day) => street.outagesOn(Number(feeder), streetFromDay + day).length > 0));
    expect(signs?.lowestVoltageV?.every((volts) => volts === 0 || (volts > 215 && volts < 235))).toBe(true);
  }
});

test('thieves are of ten kinds, steal beside each other on one feeder, and some for longer than a reference reaches', () => {
  expect(new Set(labels.map(({ type }) => type)).size).toBe(10);
  expect(labels.every(({ firstDay }) => firstDay >= testFromDay)).toBe(true);
  expect(labels.filter(({ firstDay, lastDay }) => lastDay - firstDay + 1 > 28 + 57).length).toBeGreaterThan(2);
  const beside = labels.filter((one) =>
    labels.some(
      (other) =>
        other.meter !== one.meter &&
        feederOf(other.meter) === feederOf(one.meter) &&
        other.firstDay <= one.lastDay &&
        one.firstDay <= other.lastDay,
    ),
  );
  expect(beside.length).toBeGreaterThan(3);
});

test('swapped meters are those of honest homes on one feeder; each reports the other from that day on', () => {
  const thieves = new Set(labels.map(({ meter }) => meter));
  expect(swaps).toHaveLength(2);
  for (const { meters, fromDay } of swaps) {
    expect(meters.some((meter) => thieves.has(meter))).toBe(false);
    const [one, other] = meters.map((name) => fleet.meters.findIndex(({ meter }) => meter === name));
    expect(fleet.meters[one as number]?.feeder).toBe(fleet.meters[other as number]?.feeder);
    const reported = (day: number) => fleet.meters[one as number]?.powerW.slice(day * 48, (day + 1) * 48);
    const drawn = (customer: number | undefined, day: number) =>
      street.customerW(customer as number, streetFromDay + day).slice();
    expect(reported(fromDay - 1)).toEqual(drawn(one, fromDay - 1));
    expect(reported(fromDay)).toEqual(drawn(other, fromDay));
  }
});
