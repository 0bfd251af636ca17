import { RATIO_FLOOR_W } from '../features/day-shape.js';
import { medianOf } from '../features/robust.js';
import type { FleetPower } from '../fleet-power.js';

/**
 * How a day stands against the week before it, where DAY_EVIDENCE compares it with what was usual a month ago: how far
 * below its level, and in how many slots below all but one, or below three quarters, of what was reported around that
 * time. The sum over a month remembers a fall that the week has got used to.
 */
const FIGURES = 3;
const MEAN_DAYS = [3, 7];
const REMEMBERED_DAYS = 30;
export const ONSET_WIDTH = FIGURES * (1 + MEAN_DAYS.length) + 1;

const WEEK_DAYS = 7;
/** Slots of the days before at this time, half an hour more or less at half hours. */
const AROUND = [-1, 0, 1];
const FEWEST_AROUND = 8;
const LEAST_PRESENT = 0.5;

/** ONSET_WIDTH numbers of a meter on a day, from that day and earlier ones; zeros where too little is known. */
export function gatherOnsets(fleet: FleetPower): (meter: number, day: number) => Float32Array {
  const { days, meters, slotsPerDay } = fleet;
  const figures = meters.map(({ powerW }) =>
    Array.from({ length: days }, (_, day) => dayFigures(powerW, day, slotsPerDay)),
  );
  for (let day = 0; day < days; day++) freeOfPeers(figures.flatMap((own) => own[day] ?? []));
  return (meter, day) => {
    const row = new Float32Array(ONSET_WIDTH);
    const own = figures[meter] ?? [];
    const today = own[day];
    if (today === undefined) return row;
    row.set(today);
    for (const [block, length] of MEAN_DAYS.entries())
      row.set(
        sumOf(own, day, length).map((sum) => sum / known(own, day, length)),
        (block + 1) * FIGURES,
      );
    row[ONSET_WIDTH - 1] = sumOf(own, day, REMEMBERED_DAYS)[0] as number;
    return row;
  };
}

type Figures = readonly (Float64Array | undefined)[];

function dayFigures(powerW: Float32Array, day: number, slotsPerDay: number): Float64Array | undefined {
  let expected = 0;
  let reported = 0;
  let lowest = 0;
  let lower = 0;
  let count = 0;
  const around = new Float32Array(WEEK_DAYS * AROUND.length);
  for (let slot = day * slotsPerDay; slot < (day + 1) * slotsPerDay; slot++) {
    const watts = powerW[slot] as number;
    if (Number.isNaN(watts)) continue;
    let found = 0;
    for (let back = 1; back <= WEEK_DAYS; back++) {
      for (const step of AROUND) {
        const before = powerW[slot - back * slotsPerDay + step] ?? Number.NaN;
        if (!Number.isNaN(before)) around[found++] = before;
      }
    }
    if (found < FEWEST_AROUND) continue;
    const sorted = around.subarray(0, found).sort();
    count += 1;
    reported += watts;
    expected += sorted.reduce((sum, before) => sum + before, 0) / found;
    if (watts < (sorted[1] as number)) lowest += 1;
    if (watts < (sorted[found >> 2] as number)) lower += 1;
  }
  if (count < LEAST_PRESENT * slotsPerDay) return undefined;
  const level = (sum: number): number => Math.log(Math.max(sum / count, 0) + RATIO_FLOOR_W);
  return Float64Array.of(level(expected) - level(reported), lowest / count, lower / count);
}

/** What lowers most meters lowers none of them. Changes the figures of one day. */
function freeOfPeers(ofDay: readonly Float64Array[]): void {
  for (let index = 0; index < FIGURES; index++) {
    const median = medianOf(Float64Array.from(ofDay, (own) => own[index] as number));
    for (const own of ofDay) own[index] = (own[index] as number) - median;
  }
}

const lastDays = (own: Figures, day: number, length: number): Float64Array[] =>
  own.slice(Math.max(day - length + 1, 0), day + 1).flatMap((figures) => figures ?? []);

function sumOf(own: Figures, day: number, length: number): Float64Array {
  const sums = new Float64Array(FIGURES);
  for (const figures of lastDays(own, day, length))
    for (let index = 0; index < FIGURES; index++) sums[index] = (sums[index] as number) + (figures[index] as number);
  return sums;
}

const known = (own: Figures, day: number, length: number): number => lastDays(own, day, length).length;
