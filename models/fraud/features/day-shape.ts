/**
 * One day of a meter in a few figures, whatever its slot width. The day may end at any slot, so that the day that ends
 * now is always whole.
 */
export const SHAPE_COLUMNS = [
  'mean',
  'max',
  'q90',
  'q75',
  'median',
  'floor',
  'q05',
  'night',
  'zeros',
  'zero_run',
  'ties',
  'near_max',
  'rough',
  'present',
] as const;

export type ShapeColumn = (typeof SHAPE_COLUMNS)[number];

/** Where each column stands in a row of figures. */
export const AT = Object.fromEntries(SHAPE_COLUMNS.map((name, index) => [name, index])) as Readonly<
  Record<ShapeColumn, number>
>;
export const SHAPE_WIDTH = SHAPE_COLUMNS.length;

/** A meter that measures nothing shows noise of its own. */
const ZERO_W = 1;
/** Readings are rounded: what is closer to the maximum than this is the same. */
const TIE_SHARE = 0.002;
const NEAR_SHARE = 0.05;
/** The hours when least is switched on and off. */
const NIGHT_HOURS = 5;
/** Keeps ratios of small powers finite and unexcited. */
export const RATIO_FLOOR_W = 10;

export interface DayWindow {
  /** Mean power of consecutive slots, a day of them; NaN where nothing is known. */
  readonly powerW: Float32Array;
  /** Time of day of the first slot, 0..1. */
  readonly startsAt: number;
}

/** Writes SHAPE_COLUMNS at `offset`; NaN but for `present` where nothing is known. */
export function writeShape(out: Float32Array, offset: number, { powerW, startsAt }: DayWindow): void {
  const sorted = powerW.filter((watts) => !Number.isNaN(watts)).sort();
  const present = sorted.length / powerW.length;
  out.fill(Number.NaN, offset, offset + SHAPE_WIDTH);
  out[offset + AT.present] = present;
  if (sorted.length === 0) return;
  const quantile = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  const max = quantile(1);
  out[offset + AT.mean] = sorted.reduce((sum, watts) => sum + watts, 0) / sorted.length;
  out[offset + AT.max] = max;
  out[offset + AT.q90] = quantile(0.9);
  out[offset + AT.q75] = quantile(0.75);
  out[offset + AT.median] = quantile(0.5);
  out[offset + AT.floor] = quantile(0.1);
  out[offset + AT.q05] = quantile(0.05);
  out[offset + AT.ties] = max > ZERO_W ? shareAbove(sorted, max * (1 - TIE_SHARE)) : 0;
  out[offset + AT.near_max] = max > ZERO_W ? shareAbove(sorted, max * (1 - NEAR_SHARE)) : 0;
  writeInOrder(out, offset, { powerW, startsAt });
}

/** What depends on the order of the slots. */
function writeInOrder(out: Float32Array, offset: number, { powerW, startsAt }: DayWindow): void {
  let night = 0;
  let nightCount = 0;
  let zeros = 0;
  let count = 0;
  let run = 0;
  let longest = 0;
  let rough = 0;
  let pairs = 0;
  let before = Number.NaN;
  for (const [slot, watts] of powerW.entries()) {
    if (Number.isNaN(watts)) {
      before = watts;
      continue;
    }
    count += 1;
    if (((startsAt + slot / powerW.length) % 1) * 24 < NIGHT_HOURS) {
      night += watts;
      nightCount += 1;
    }
    const isZero = Math.abs(watts) < ZERO_W;
    zeros += isZero ? 1 : 0;
    run = isZero ? run + 1 : 0;
    longest = Math.max(longest, run);
    if (!Number.isNaN(before) && !isZero && Math.abs(before) >= ZERO_W) {
      rough += Math.abs(Math.log((Math.abs(watts) + RATIO_FLOOR_W) / (Math.abs(before) + RATIO_FLOOR_W)));
      pairs += 1;
    }
    before = watts;
  }
  out[offset + AT.night] = nightCount === 0 ? Number.NaN : night / nightCount;
  out[offset + AT.zeros] = zeros / count;
  out[offset + AT.zero_run] = longest / powerW.length;
  out[offset + AT.rough] = pairs === 0 ? 0 : rough / pairs;
}

function shareAbove(sorted: Float32Array, limit: number): number {
  let from = sorted.length;
  while (from > 0 && (sorted[from - 1] as number) >= limit) from -= 1;
  return (sorted.length - from) / sorted.length;
}
