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
const LOG_WIDTH_RATIO = Math.log(WIDTH_RATIO);
const RUN_BYTES = 6;
const STEP_BYTES = 4;

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
  const spelt = layout === EXPLICIT ? runs : [];
  const headBytes = layout === EXPLICIT ? 4 + runs.length * RUN_BYTES : 2;
  const packed = new Uint8Array(headBytes + steps.length * STEP_BYTES);
  const view = new DataView(packed.buffer);
  view.setUint8(0, VERSION * 16 + layout);
  view.setUint8(1, exponent);
  if (layout === EXPLICIT) view.setUint16(2, runs.length);
  for (const [index, { offsetSlots, slots, count }] of spelt.entries()) {
    view.setUint16(4 + index * RUN_BYTES, offsetSlots);
    view.setUint16(6 + index * RUN_BYTES, slots);
    view.setUint16(8 + index * RUN_BYTES, count);
  }
  let at = headBytes;
  for (const { lowW, medianW, highW } of steps) {
    view.setInt16(at, Math.round(medianW / unitW));
    view.setUint8(at + 2, widthCode((medianW - lowW) / unitW));
    view.setUint8(at + 3, widthCode((highW - medianW) / unitW));
    at += STEP_BYTES;
  }
  return packed;
}

/** Undefined for a version that this program does not know. */
export function unpackForecast(packed: Uint8Array): readonly ForecastStep[] | undefined {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 2 || view.getUint8(0) >>> 4 !== VERSION) return undefined;
  const known = LAYOUTS[view.getUint8(0) & 0x0f];
  if (known === undefined) return undefined;
  const unitW = SMALLEST_UNIT_W * 2 ** view.getUint8(1);
  const runs = known ?? readRuns(view);
  let at = known === null ? 4 + runs.length * RUN_BYTES : 2;
  return runs.flatMap((run) =>
    Array.from({ length: run.count }, (_, index) => {
      const medianW = view.getInt16(at) * unitW;
      const lowW = medianW - widthOf(view.getUint8(at + 2)) * unitW;
      const highW = medianW + widthOf(view.getUint8(at + 3)) * unitW;
      at += STEP_BYTES;
      return { offsetSlots: run.offsetSlots + index * run.slots, slots: run.slots, lowW, medianW, highW };
    }),
  );
}

const isUint16 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff;
const isPackable = ({ offsetSlots, slots, lowW, medianW, highW }: ForecastStep): boolean =>
  isUint16(offsetSlots) &&
  isUint16(slots) &&
  Number.isFinite(lowW) &&
  Number.isFinite(medianW) &&
  Number.isFinite(highW);

function exponentFor(steps: readonly ForecastStep[]): number {
  let neededW = SMALLEST_UNIT_W;
  for (const { lowW, medianW, highW } of steps) {
    const widthW = Math.max(medianW - lowW, highW - medianW);
    neededW = Math.max(neededW, Math.abs(medianW) / MAX_MEDIAN, widthW / MAX_WIDTH);
  }
  return Math.min(255, Math.ceil(Math.log2(neededW / SMALLEST_UNIT_W)));
}

/** Quantiles that crossed have no width. */
function widthCode(units: number): number {
  if (units < 0.5) return 0;
  return Math.min(255, 1 + Math.max(0, Math.round(Math.log(units) / LOG_WIDTH_RATIO)));
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

function readRuns(view: DataView): readonly Run[] {
  return Array.from({ length: view.getUint16(2) }, (_, index) => ({
    offsetSlots: view.getUint16(4 + index * RUN_BYTES),
    slots: view.getUint16(6 + index * RUN_BYTES),
    count: view.getUint16(8 + index * RUN_BYTES),
  }));
}
