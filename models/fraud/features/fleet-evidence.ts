import { dayOf, type FleetPower, weekdayOf } from '../fleet-power.js';
import { AT, SHAPE_WIDTH, writeShape } from './day-shape.js';
import { buildReference, DROPS, EVIDENCE_WIDTH, type MeterReference, writeDrops, writeEvidence } from './evidence.js';
import { ROW_WIDTH, writeRow } from './evidence-row.js';
import { medianOf } from './robust.js';

/** Days before the judged one that a meter is compared with; the gap keeps a slow thief from becoming the standard. */
export const REFERENCE_DAYS = { from: 84, to: 28 };
/** Fewer say too little about what is usual. */
const LEAST_REFERENCE_DAYS = 21;
/** A day of which less is known is not judged. */
const LEAST_PRESENT = 0.5;
/** Evidence of every meter on every day; all of a day's numbers come from that day and earlier ones. */
export interface FleetEvidence {
  readonly days: number;
  /** ROW_WIDTH numbers of a meter on a day; undefined where it could not be judged. */
  row(meter: number, day: number): Float32Array | undefined;
  /** EVIDENCE_WIDTH numbers of the day alone, NaN where it could not be judged. */
  evidence(meter: number): Float32Array;
  reference(meter: number, day: number): MeterReference | undefined;
  /** What the drops of that day are freed from. */
  peers(day: number): Float64Array;
  /** SHAPE_WIDTH numbers. */
  shape(meter: number, day: number): Float32Array;
}

export function gatherFleetEvidence(fleet: FleetPower): FleetEvidence {
  const { days, slotsPerDay } = fleet;
  const shapes = fleet.meters.map(({ powerW }) => {
    const all = new Float32Array(days * SHAPE_WIDTH);
    for (let day = 0; day < days; day++) writeShape(all, day * SHAPE_WIDTH, dayOf(powerW, slotsPerDay, day));
    return all;
  });
  const shape = (meter: number, day: number) =>
    (shapes[meter] as Float32Array).subarray(day * SHAPE_WIDTH, (day + 1) * SHAPE_WIDTH);
  const evidence = fleet.meters.map(() => new Float32Array(days * EVIDENCE_WIDTH).fill(Number.NaN));
  const peersByDay: Float64Array[] = [];
  for (let day = 0; day < days; day++) {
    const judged = judgeable(fleet, { day, shape });
    const peers = peersOf(judged.map(({ drops }) => drops));
    peersByDay.push(peers);
    for (const { meter, reference, drops } of judged) {
      writeEvidence(evidence[meter] as Float32Array, day * EVIDENCE_WIDTH, {
        shape: shape(meter, day),
        powerW: dayOf((fleet.meters[meter] as { powerW: Float32Array }).powerW, slotsPerDay, day),
        reference,
        drops,
        peers,
      });
    }
  }
  const rows = evidence.map((values) => {
    const all = new Float32Array(days * ROW_WIDTH);
    for (let day = 0; day < days; day++) writeRow(all, day * ROW_WIDTH, { evidence: values, day });
    return all;
  });
  return {
    days,
    shape,
    evidence: (meter) => evidence[meter] as Float32Array,
    reference: (meter, day) => referenceOf(fleet, { meter, day, shape }),
    peers: (day) => peersByDay[day] as Float64Array,
    row(meter, day) {
      const row = rows[meter]?.subarray(day * ROW_WIDTH, (day + 1) * ROW_WIDTH);
      return row === undefined || Number.isNaN(row[0]) ? undefined : row;
    },
  };
}

interface Judgeable {
  readonly meter: number;
  readonly reference: MeterReference;
  readonly drops: Float64Array;
}

function judgeable(
  fleet: FleetPower,
  { day, shape }: { day: number; shape: (meter: number, day: number) => Float32Array },
): Judgeable[] {
  return fleet.meters.flatMap((_, meter) => {
    if ((shape(meter, day)[AT.present] as number) < LEAST_PRESENT) return [];
    const reference = referenceOf(fleet, { meter, day, shape });
    if (reference === undefined) return [];
    const drops = new Float64Array(DROPS);
    writeDrops(drops, 0, { shape: shape(meter, day), reference, weekday: weekdayOf(fleet, day) });
    return [{ meter, reference, drops }];
  });
}

/** What is usual for a meter on that day; undefined while too few days are known. */
export function referenceOf(
  fleet: FleetPower,
  { meter, day, shape }: { meter: number; day: number; shape: (meter: number, day: number) => Float32Array },
): MeterReference | undefined {
  const chosen: Float32Array[] = [];
  const weekdays: number[] = [];
  for (let past = Math.max(day - REFERENCE_DAYS.from, 0); past <= day - REFERENCE_DAYS.to; past++) {
    const figures = shape(meter, past);
    if ((figures[AT.present] as number) < LEAST_PRESENT) continue;
    chosen.push(figures);
    weekdays.push(weekdayOf(fleet, past));
  }
  if (chosen.length < LEAST_REFERENCE_DAYS) return undefined;
  const shapes = new Float32Array(chosen.length * SHAPE_WIDTH);
  for (const [index, figures] of chosen.entries()) shapes.set(figures, index * SHAPE_WIDTH);
  return buildReference(shapes, weekdays);
}

/** The median of each drop over all meters. */
export function peersOf(drops: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: DROPS }, (_, index) => {
    const median = medianOf(Float64Array.from(drops, (own) => own[index] as number).filter(Number.isFinite));
    return Number.isNaN(median) ? 0 : median;
  });
}
