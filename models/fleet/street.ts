import { DAY_MS } from '../../agent/domain/slot.js';
import { drawTechnicalLoss, sumOf, withTechnicalLoss } from './feeder.js';
import { createHousehold, type HouseholdDay } from './household.js';
import { outagesOn, type Span } from './outages.js';
import { streamOf } from './random-stream.js';
import type { Equipment, Traits } from './traits.js';
import { usualLoad } from './usual-load.js';
import { createWeather } from './weather.js';

export interface StreetOptions {
  readonly seed: number;
  readonly customers: number;
  readonly feeders: number;
  readonly stepMinutes: number;
  readonly equipment?: Equipment;
  /** Households of each feeder that draw power and have no meter. */
  readonly unregistered?: number;
  /** Of a feeder, per month. */
  readonly outagesPerMonth?: number;
  /** Hours of each second day for which the feeders are switched off in turn. */
  readonly sheddingHours?: number;
}

/** What really flows, before any meter errs or lies. Days are counted since 1970; arrays are not to be changed. */
export interface Street {
  readonly stepMinutes: number;
  readonly customers: number;
  readonly feeders: number;
  feederOf(customer: number): number;
  traitsOf(customer: number, day: number): Traits | null;
  /** 1, or 3 with the share of the load that each carries; of the building, whoever lives there. */
  phasesOf(customer: number): readonly number[];
  /** Neither empty rooms nor people on holiday. */
  isLivedIn(customer: number, day: number): boolean;
  /** Mean net power per step; negative while panels feed in. */
  customerW(customer: number, day: number): Float32Array;
  /** What passes the feeder's meter: its customers, those without a meter, and what the lines take. */
  feederW(feeder: number, day: number): Float32Array;
  /** When a feeder has no voltage, in minutes of the day. */
  outagesOn(feeder: number, day: number): readonly Span[];
}

/** Days of one source that are kept: a feeder and its customers are asked for the same ones. */
const DAYS_KEPT = 3;
/** Unregistered households have numbers beyond those of all customers. */
const UNREGISTERED_FROM = 1_000_000;
const LOSS_STREAM = 21;
/** Days after which somebody lives there again. */
const VACANT_AT_MOST = 31;

export function createStreet(options: StreetOptions): Street {
  const { seed, customers, feeders, stepMinutes, equipment, unregistered = 0 } = options;
  const weather = createWeather(seed);
  const homeOf = (number: number, step = stepMinutes) =>
    createHousehold({ seed, number, weather, stepMinutes: step, ...(equipment === undefined ? {} : { equipment }) });
  const homes = Array.from({ length: customers }, (_, number) => homeOf(number));
  const feederOf = (customer: number): number => customer % feeders;
  const cuts = (feeder: number, day: number) => outagesOn(options, feeder, day);

  function liveW(home: { day(day: number): HouseholdDay }, feeder: number, day: number): Float32Array {
    const { consumedW, producedW } = home.day(day);
    const net = producedW === null ? consumedW : consumedW.map((watts, step) => watts - (producedW[step] ?? 0));
    for (const { fromMinute, toMinute } of cuts(feeder, day)) {
      net.fill(0, Math.floor(fromMinute / stepMinutes), Math.ceil(toMinute / stepMinutes));
    }
    return net;
  }

  const customerDays = homes.map((home, number) => keepDays((day) => liveW(home, feederOf(number), day)));
  const customerW = (customer: number, day: number): Float32Array =>
    customerDays[customer]?.(day) ?? new Float32Array();

  const lines = Array.from({ length: feeders }, (_, feeder) => {
    const members = homes.flatMap((_home, number) => (feederOf(number) === feeder ? number : []));
    const strangers = Array.from({ length: unregistered }, (_stranger, number) =>
      homeOf(UNREGISTERED_FROM + feeder * 1_000 + number),
    );
    // Line and transformer are those that the homes of that year need.
    const lossIn = keepDays((year) =>
      drawTechnicalLoss(
        usualLoad({ homes: [...members, ...strangers.map(({ number }) => number)], year, stepMinutes, homeOf }),
        streamOf(seed, LOSS_STREAM, feeder),
      ),
    );
    return keepDays((day) => {
      const taken = [
        ...members.map((number) => customerW(number, day)),
        ...strangers.map((home) => liveW(home, feeder, day)),
      ];
      const power = withTechnicalLoss(sumOf(taken, 1_440 / stepMinutes), lossIn(yearOf(day)));
      for (const { fromMinute, toMinute } of cuts(feeder, day)) {
        power.fill(0, Math.floor(fromMinute / stepMinutes), Math.ceil(toMinute / stepMinutes));
      }
      return power;
    });
  });

  return {
    stepMinutes,
    customers,
    feeders,
    feederOf,
    traitsOf: (customer, day) => homes[customer]?.traitsOf(day) ?? null,
    phasesOf: (customer) =>
      (homes[customer]?.traitsOf(0) ?? homes[customer]?.traitsOf(VACANT_AT_MOST))?.phaseShares ?? [1],
    isLivedIn: (customer, day) => homes[customer]?.day(day).state === 'lived_in',
    customerW,
    feederW: (feeder, day) => lines[feeder]?.(day) ?? new Float32Array(),
    outagesOn: cuts,
  };
}

const yearOf = (day: number): number => new Date(day * DAY_MS).getUTCFullYear();

/** Makes each day, or year, once while it is among the last that were asked for. */
export function keepDays<Made>(make: (day: number) => Made): (day: number) => Made {
  const kept = new Map<number, Made>();
  return (day) => {
    const known = kept.get(day);
    if (known !== undefined) return known;
    const made = make(day);
    kept.set(day, made);
    const [oldest] = kept.keys();
    if (kept.size > DAYS_KEPT && oldest !== undefined) kept.delete(oldest);
    return made;
  };
}
