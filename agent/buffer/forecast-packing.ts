import type { ForecastStep } from '../domain/forecast.js';

/**
 * A forecast in few bytes. Byte 0: version (high half) and layout (low half); byte 1: the unit, 0.1 W times a power of
 * two. Then, with layout 0, the runs of equal steps. Then for each step the median as int16 in units, and the lower
 * and upper half of the band in a byte each, on a logarithmic scale.
 *
 * Error: of the median half a unit, which is at most 1/32,767 of the largest value; of a half width 2.3 % or half a unit.
 */
const VERSION = 1;
const MAX_MEDIAN = 32_767;
const MAX_WIDTH = 65_535;
const SMALLEST_UNIT_W = 0.1;
/** Codes 1 to 255 from one unit to the widest band. */
const WIDTH_RATIO = MAX_WIDTH ** (1 / 254);

interface Run {
  readonly offsetSlots: number;
  readonly slots: number;
  readonly count: number;
}

const NEXT_HOUR: Run = { offsetSlots: 0, slots: 1, count: 12 };
const NEXT_DAY: Run = { offsetSlots: 0, slots: 12, count: 24 };
/** Runs that need no bytes. An entry keeps its place for ever. */
const LAYOUTS: readonly (readonly Run[] | null)[] = [null, [NEXT_HOUR], [NEXT_HOUR, NEXT_DAY], [NEXT_DAY]];
const EXPLICIT = 0;

/** Undefined when a value is not a finite number, or a step has no place in time. */
export function packForecast(steps: readonly ForecastStep[]): Uint8Array | undefined {
  if (!steps.every(isPackable)) return undefined;
  const runs = runsOf(steps);
  const layout = Math.max(
    EXPLICIT,
    LAYOUTS.findIndex((candidate) => candidate !== null && sameRuns(candidate, runs)),
  );
  const exponent = exponentFor(steps);
  const unitW = SMALLEST_UNIT_W * 2 ** exponent;
  const bytes = [VERSION * 16 + layout, exponent];
  if (layout === EXPLICIT) {
    bytes.push(...uint16(runs.length));
    for (const run of runs) bytes.push(...uint16(run.offsetSlots), ...uint16(run.slots), ...uint16(run.count));
  }
  for (const { lowW, medianW, highW } of steps) {
    bytes.push(
      ...uint16(Math.round(medianW / unitW)),
      widthCode((medianW - lowW) / unitW),
      widthCode((highW - medianW) / unitW),
    );
  }
  return Uint8Array.from(bytes);
}

/** Undefined for a version that this program does not know. */
export function unpackForecast(packed: Uint8Array): readonly ForecastStep[] | undefined {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 2 || view.getUint8(0) >>> 4 !== VERSION) return undefined;
  const known = LAYOUTS[view.getUint8(0) & 0x0f];
  if (known === undefined) return undefined;
  const unitW = SMALLEST_UNIT_W * 2 ** view.getUint8(1);
  const runs = known ?? readRuns(view);
  let at = known === null ? 4 + runs.length * 6 : 2;
  return runs.flatMap((run) =>
    Array.from({ length: run.count }, (_, index) => {
      const medianW = view.getInt16(at) * unitW;
      const lowW = medianW - widthOf(view.getUint8(at + 2)) * unitW;
      const highW = medianW + widthOf(view.getUint8(at + 3)) * unitW;
      at += 4;
      return { offsetSlots: run.offsetSlots + index * run.slots, slots: run.slots, lowW, medianW, highW };
    }),
  );
}

const isUint16 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff;
const isPackable = ({ offsetSlots, slots, lowW, medianW, highW }: ForecastStep): boolean =>
  isUint16(offsetSlots) && isUint16(slots) && [lowW, medianW, highW].every(Number.isFinite);

function exponentFor(steps: readonly ForecastStep[]): number {
  const units = steps.flatMap(({ lowW, medianW, highW }) => [
    Math.abs(medianW) / MAX_MEDIAN,
    (medianW - lowW) / MAX_WIDTH,
    (highW - medianW) / MAX_WIDTH,
  ]);
  const neededW = Math.max(SMALLEST_UNIT_W, ...units);
  return Math.min(255, Math.ceil(Math.log2(neededW / SMALLEST_UNIT_W)));
}

/** Quantiles that crossed have no width. */
function widthCode(units: number): number {
  if (units < 0.5) return 0;
  return Math.min(255, 1 + Math.max(0, Math.round(Math.log(units) / Math.log(WIDTH_RATIO))));
}

const widthOf = (code: number): number => (code === 0 ? 0 : WIDTH_RATIO ** (code - 1));

function runsOf(steps: readonly ForecastStep[]): Run[] {
  const runs: { offsetSlots: number; slots: number; count: number }[] = [];
  for (const { offsetSlots, slots } of steps) {
    const run = runs.at(-1);
    if (run !== undefined && run.slots === slots && offsetSlots === run.offsetSlots + run.count * slots) run.count += 1;
    else runs.push({ offsetSlots, slots, count: 1 });
  }
  return runs;
}

const sameRuns = (a: readonly Run[], b: readonly Run[]): boolean =>
  a.length === b.length &&
  a.every((run, index) => {
    const other = b[index];
    return run.offsetSlots === other?.offsetSlots && run.slots === other.slots && run.count === other.count;
  });

const uint16 = (value: number): [number, number] => [(value >> 8) & 0xff, value & 0xff];

function readRuns(view: DataView): readonly Run[] {
  return Array.from({ length: view.getUint16(2) }, (_, index) => ({
    offsetSlots: view.getUint16(4 + index * 6),
    slots: view.getUint16(6 + index * 6),
    count: view.getUint16(8 + index * 6),
  }));
}
