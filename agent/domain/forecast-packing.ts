import type { ForecastStep, Span } from './forecast.js';

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
/** In units; what is narrower has no width. */
const SMALLEST_WIDTH = 0.5;
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

/** Watts of each span: the lower edge of the band, the median, the upper edge. */
export const BAND_VALUES = 3;

/** Packs forecasts of the same spans. */
export interface ForecastPacker {
  /** How many bytes each of them takes. */
  readonly bytes: number;
  /** Writes one from `bands`, [spans, BAND_VALUES], to `at`; false when a value is not a finite number. */
  pack(bands: Float64Array, packed: Uint8Array, at: number): boolean;
}

/** Undefined for spans that have no place in time. */
export function createForecastPacker(spans: readonly Span[]): ForecastPacker | undefined {
  if (!spans.every(isPackable)) return undefined;
  const head = headOf(spans);
  const widths = new Float64Array(2);
  return {
    bytes: head.length + spans.length * STEP_BYTES,
    pack(bands, packed, from) {
      const exponent = exponentFor(bands);
      if (exponent === undefined) return false;
      const perWatt = 1 / (SMALLEST_UNIT_W * 2 ** exponent);
      packed.set(head, from);
      packed[from + 1] = exponent;
      let at = from + head.length;
      for (let value = 0; value < bands.length; value += BAND_VALUES) {
        const medianW = bands[value + 1] as number;
        const median = Math.floor(medianW * perWatt + 0.5);
        packed[at] = median >> 8;
        packed[at + 1] = median;
        widths[0] = (medianW - (bands[value] as number)) * perWatt;
        widths[1] = ((bands[value + 2] as number) - medianW) * perWatt;
        packed[at + 2] = codeOf(widths, 0);
        packed[at + 3] = codeOf(widths, 1);
        at += STEP_BYTES;
      }
      return true;
    },
  };
}

/** All that comes before the steps; the unit is not known yet. */
function headOf(spans: readonly Span[]): Uint8Array {
  const runs = runsOf(spans);
  const layout = Math.max(
    EXPLICIT,
    LAYOUTS.findIndex((candidate) => candidate !== null && sameRuns(candidate, runs)),
  );
  const head = new Uint8Array(layout === EXPLICIT ? 4 + runs.length * RUN_BYTES : 2);
  const view = new DataView(head.buffer);
  view.setUint8(0, VERSION * 16 + layout);
  if (layout !== EXPLICIT) return head;
  view.setUint16(2, runs.length);
  for (const [index, { offsetSlots, slots, count }] of runs.entries()) {
    view.setUint16(4 + index * RUN_BYTES, offsetSlots);
    view.setUint16(6 + index * RUN_BYTES, slots);
    view.setUint16(8 + index * RUN_BYTES, count);
  }
  return head;
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
const isPackable = ({ offsetSlots, slots }: Span): boolean => isUint16(offsetSlots) && isUint16(slots);

/** Of the unit in which all values fit; undefined when one is not a finite number. */
function exponentFor(bands: Float64Array): number | undefined {
  let largestW = 0;
  let widestW = 0;
  let finite = 0;
  for (let value = 0; value < bands.length; value += BAND_VALUES) {
    const lowW = bands[value] as number;
    const medianW = bands[value + 1] as number;
    const highW = bands[value + 2] as number;
    // What is not finite is NaN times 0.
    finite += (lowW + medianW + highW) * 0;
    largestW = Math.max(largestW, Math.abs(medianW));
    widestW = Math.max(widestW, medianW - lowW, highW - medianW);
  }
  if (Number.isNaN(finite)) return undefined;
  const neededW = Math.max(SMALLEST_UNIT_W, largestW / MAX_MEDIAN, widestW / MAX_WIDTH);
  return Math.min(255, Math.ceil(Math.log2(neededW / SMALLEST_UNIT_W)));
}

const widthOf = (code: number): number => (code === 0 ? 0 : WIDTH_RATIO ** (code - 1));

function runsOf(spans: readonly Span[]): Run[] {
  const runs: { offsetSlots: number; slots: number; count: number }[] = [];
  for (const { offsetSlots, slots } of spans) {
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

/** Logarithms are slow: each code has the width above which the next one begins, and a table says where to look. */
const UPPER_EDGES = Float64Array.from({ length: 256 }, (_, code) =>
  code === 255 ? Number.POSITIVE_INFINITY : code === 0 ? SMALLEST_WIDTH : WIDTH_RATIO ** (code - 0.5),
);
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
/** A cell holds the numbers that begin with the same bits: a 64th of them, where codes lie a 23rd apart. */
const CELL_SHIFT = 17;
const cellOf = (units: number): number => {
  float[0] = units;
  return (bits[0] as number) >>> CELL_SHIFT;
};
const FIRST_CELL = cellOf(SMALLEST_WIDTH);
const CODES = lowestCodes();

function lowestCodes(): Uint8Array {
  const codes = new Uint8Array(cellOf(2 * MAX_WIDTH) - FIRST_CELL);
  let code = 1;
  for (let cell = 0; cell < codes.length; cell++) {
    bits[0] = (cell + FIRST_CELL) << CELL_SHIFT;
    while ((float[0] as number) >= (UPPER_EDGES[code] as number)) code += 1;
    codes[cell] = code;
  }
  return codes;
}

/** Of one of the widths, in units; quantiles that crossed have none. A number that is handed over alone would be an object. */
function codeOf(widths: Float64Array, index: number): number {
  const units = widths[index] as number;
  if (units < SMALLEST_WIDTH) return 0;
  float[0] = units;
  const code = CODES[((bits[0] as number) >>> CELL_SHIFT) - FIRST_CELL] as number;
  // One more from the edge on. It is the sign that says so: either is as likely, and a wrong guess costs more than the rest.
  float[0] = units - (UPPER_EDGES[code] as number);
  return code + 1 - ((bits[0] as number) >>> 31);
}
