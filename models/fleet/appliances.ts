import type { Random } from '../../agent/domain/clock.js';
import { HALVES } from './occupancy.js';
import { between, poisson } from './random-stream.js';
import type { Traits } from './traits.js';

/** Something that draws power for a while. Minutes of the day on which it was started; it may run into the next. */
export interface Run {
  readonly fromMinute: number;
  readonly minutes: number;
  readonly watts: number;
}

export interface DayAtHome {
  readonly traits: Traits;
  /** Share of the household that is at home and awake, per half hour. */
  readonly present: Float32Array;
  /** How dark and how cold it is, per half hour. */
  readonly darkness: Float32Array;
  readonly temperatureC: Float32Array;
  readonly weekend: boolean;
  /** How busy the day is, 1 usually. */
  readonly mood: number;
}

const bump = (hour: number, centre: number, width: number): number => Math.exp(-(((hour - centre) / width) ** 2));
const perHalf = (of: (hour: number) => number): Float32Array =>
  Float32Array.from({ length: HALVES }, (_, half) => of(half / 2 + 0.25));

/** When of a waking day things are started; only the proportions count. */
const PREFERENCE = {
  any: perHalf(() => 1),
  meals: perHalf((hour) => 0.06 + 0.6 * bump(hour, 7.6, 1.3) + 1 * bump(hour, 12.6, 2.2) + 0.8 * bump(hour, 18, 2.4)),
  morning: perHalf((hour) => 0.1 + bump(hour, 7.4, 1.3) + 0.3 * bump(hour, 21, 1.8)),
  housework: perHalf((hour) => 0.05 + bump(hour, 10.8, 3.5) + 0.5 * bump(hour, 17.5, 2.5)),
  evening: perHalf((hour) => 0.5 + 0.8 * bump(hour, 19.3, 3.8)),
} as const;

type Preference = keyof typeof PREFERENCE;

/** Everything that people start on one day. */
export function runsOf(day: DayAtHome, random: Random): Run[] {
  const { traits } = day;
  const runs: Run[] = [];
  const waking = day.present.reduce((sum, share) => sum + share, 0) / HALVES;
  const busy = traits.habit * day.mood * Math.min(waking / 0.5, 1.3);
  const times = (perDay: number, when: Preference, start: (fromMinute: number) => void): void => {
    const count = poisson(random, Math.min(perDay * busy, 60));
    if (count === 0) return;
    const moment = momentsOf(day, PREFERENCE[when]);
    for (let done = 0; moment !== undefined && done < count; done++) start(moment(random));
  };
  const run = (fromMinute: number, minutes: number, watts: number): void =>
    void runs.push({ fromMinute, minutes, watts });
  const { persons } = traits;

  times(0.9 + 1.1 * persons, 'any', (at) => run(at, between(random, 2, 4), traits.kettleW));
  times(0.6 * persons, 'meals', (at) => run(at, between(random, 2, 7), between(random, 800, 1_300)));
  if (traits.cookerW > 0) {
    times(0.5 + 0.22 * persons, 'meals', (at) =>
      run(at, between(random, 12, 55), traits.cookerW * between(random, 0.5, 1)),
    );
  }
  if (traits.showerW > 0) times(0.55 * persons, 'morning', (at) => run(at, between(random, 4, 9), traits.showerW));
  times(0.22, 'housework', (at) => run(at, between(random, 8, 40), between(random, 600, 1_800)));
  if (traits.washerW > 0) {
    times((day.weekend ? 1.5 : 0.8) * (0.08 + 0.12 * persons), 'housework', (at) => {
      run(at + 4, between(random, 12, 25), traits.washerW);
      run(at + 29, between(random, 30, 60), between(random, 120, 350));
      if (traits.dryerW > 0 && random() < 0.7) run(at + 95, between(random, 35, 80), traits.dryerW);
    });
  }
  if (traits.dishwasherW > 0) times(0.25 + 0.13 * persons, 'evening', (at) => dishes(traits, atTariff(at), run));
  times(0.8 + 0.35 * persons, 'evening', (at) =>
    run(at, between(random, 50, 260), traits.screenW * between(random, 0.6, 1.4)),
  );
  times(0.3 + 0.15 * persons, 'any', (at) => run(at, between(random, 30, 300), between(random, 20, 120)));
  if (traits.waterHeaterW > 0) heatWater(traits, busy, run);
  if (traits.vehicle !== null) charge(traits.vehicle);
  light(day, random, run);
  return runs;

  /** Whoever pays less at night lets a timer begin there. */
  function atTariff(fromMinute: number): number {
    return traits.tariff === 'night' && random() < 0.6 ? 1_440 + between(random, 20, 200) : fromMinute;
  }

  function charge({ chargerW, kwhPerWeek }: NonNullable<Traits['vehicle']>): void {
    if (waking === 0 || random() > 0.45) return;
    const minutes = ((kwhPerWeek / 3.15) * between(random, 0.5, 1.5) * 60_000) / chargerW;
    const home =
      traits.tariff === 'night' ? 1_440 + between(random, 5, 40) : traits.returnHour * 60 + between(random, 0, 120);
    run(home, minutes, chargerW);
  }
}

type Start = (fromMinute: number, minutes: number, watts: number) => void;

function dishes({ dishwasherW }: Traits, at: number, run: Start): void {
  run(at + 6, 16, dishwasherW);
  run(at + 22, 28, 60);
  run(at + 50, 14, dishwasherW);
}

/** The tank makes good at night, or after the morning and the evening, what was drawn. */
function heatWater({ waterHeaterW, persons, tariff }: Traits, busy: number, run: Start): void {
  const wattHours = Math.min(900 + 1_100 * persons * busy, 9_000);
  const minutes = (wattHours / waterHeaterW) * 60;
  if (tariff === 'night') run(1_440 + 70, minutes, waterHeaterW);
  else {
    run(7.6 * 60, minutes * 0.6, waterHeaterW);
    run(21 * 60, minutes * 0.4, waterHeaterW);
  }
}

function light({ traits, present, darkness }: DayAtHome, random: Random, run: Start): void {
  for (let half = 0; half < HALVES; half++) {
    const here = present[half] ?? 0;
    if (here === 0) continue;
    const lamps = traits.lightingW * (0.12 + 0.88 * (darkness[half] ?? 0));
    run(half * 30, 30, here * (traits.presenceW + lamps * between(random, 0.5, 1)));
  }
}

/** Draws minutes of the day, more often where people are up, active by their nature, and inclined to. */
function momentsOf({ traits, present }: DayAtHome, preference: Float32Array): ((random: Random) => number) | undefined {
  const upTo = new Float32Array(HALVES);
  let sum = 0;
  for (let half = 0; half < HALVES; half++) {
    sum +=
      (present[half] ?? 0) *
      (0.3 + 0.7 * (traits.shape[half] ?? 1)) *
      (preference[(half - traits.shiftHalves + HALVES) % HALVES] ?? 0);
    upTo[half] = sum;
  }
  if (sum === 0) return undefined;
  return (random) => {
    const lot = random() * sum;
    let half = 0;
    while (half < HALVES - 1 && (upTo[half] ?? 0) <= lot) half += 1;
    return (half + random()) * 30;
  };
}
