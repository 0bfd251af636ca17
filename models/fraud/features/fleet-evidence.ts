import { dayOf, type FleetPower, weekdayOf } from '../fleet-power.js';
import { AT, SHAPE_WIDTH, writeShape } from './day-shape.js';
import { buildReference, DROPS, EVIDENCE_WIDTH, type MeterReference, writeDrops, writeEvidence } from './evidence.js';
import { ROW_WIDTH, writeRow } from './evidence-row.js';
import { medianOf } from './robust.js';
import { levelsOf } from './scaled-fit.js';

/**
 * The days that a meter is compared with: the newest ones that ended so long ago, so many of them. The gap keeps a slow
 * thief from becoming the standard. Days that were flagged are left out, and older ones taken; after half a year
 * whatever a meter reports has become usual, since tenants do change.
 */
const REFERENCE = { endsAgo: 28, days: 57, oldestAgo: 182 };
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
  /** The lowest slot of the days that the reference is made of. */
  usualLowestW(meter: number, day: number): number | undefined;
  /** What the drops of that day are freed from. */
  peers(day: number): Float64Array;
  /** SHAPE_WIDTH numbers. */
  shape(meter: number, day: number): Float32Array;
}

/** Whether a day is taken for theft, once its row is known. */
export type IsFlagged = (row: Float32Array) => boolean;

export function gatherFleetEvidence(fleet: FleetPower, isFlagged: IsFlagged = () => false): FleetEvidence {
  const { days, slotsPerDay } = fleet;
  const shapes = fleet.meters.map(({ powerW }) => {
    const all = new Float32Array(days * SHAPE_WIDTH);
    for (let day = 0; day < days; day++) writeShape(all, day * SHAPE_WIDTH, dayOf(powerW, slotsPerDay, day));
    return all;
  });
  const shape = (meter: number, day: number) =>
    (shapes[meter] as Float32Array).subarray(day * SHAPE_WIDTH, (day + 1) * SHAPE_WIDTH);
  const levels = fleet.meters.map(({ powerW }) =>
    Array.from({ length: days }, (_, day) => levelsOf(dayOf(powerW, slotsPerDay, day))),
  );
  const evidence = fleet.meters.map(() => new Float32Array(days * EVIDENCE_WIDTH).fill(Number.NaN));
  const rows = fleet.meters.map(() => new Float32Array(days * ROW_WIDTH).fill(Number.NaN));
  const rowAt = (meter: number, day: number) =>
    (rows[meter] as Float32Array).subarray(day * ROW_WIDTH, (day + 1) * ROW_WIDTH);
  const flagged = fleet.meters.map(() => new Uint8Array(days));
  const pastOf = (meter: number, day: number): OwnPast => ({
    day,
    shape: (past) => shape(meter, past),
    levels: levels[meter] as Uint8Array[],
    flagged: flagged[meter] as Uint8Array,
  });
  const reference = (meter: number, day: number) => referenceOf(fleet, pastOf(meter, day));
  const peersByDay: Float64Array[] = [];
  for (let day = 0; day < days; day++) {
    const judged = judgeable(fleet, { day, shape, reference });
    const peers = peersOf(judged.map(({ drops }) => drops));
    peersByDay.push(peers);
    for (const { meter, usual, drops } of judged) {
      const own = evidence[meter] as Float32Array;
      writeEvidence(own, day * EVIDENCE_WIDTH, {
        shape: shape(meter, day),
        powerW: dayOf((fleet.meters[meter] as { powerW: Float32Array }).powerW, slotsPerDay, day),
        reference: usual,
        drops,
        peers,
      });
      const row = rowAt(meter, day);
      writeRow(row, 0, { evidence: own, day });
      if (isFlagged(row)) (flagged[meter] as Uint8Array)[day] = 1;
    }
  }
  return {
    days,
    shape,
    evidence: (meter) => evidence[meter] as Float32Array,
    reference,
    usualLowestW(meter, day) {
      const { powerW } = fleet.meters[meter] as { powerW: Float32Array };
      return lowestOf(referenceDays(pastOf(meter, day)).map((past) => dayOf(powerW, slotsPerDay, past)));
    },
    peers: (day) => peersByDay[day] as Float64Array,
    row(meter, day) {
      const row = rowAt(meter, day);
      return Number.isNaN(row[0]) ? undefined : row;
    },
  };
}

interface Judgeable {
  readonly meter: number;
  readonly usual: MeterReference;
  readonly drops: Float64Array;
}

interface Past {
  readonly day: number;
  readonly shape: (meter: number, day: number) => Float32Array;
  readonly reference: (meter: number, day: number) => MeterReference | undefined;
}

function judgeable(fleet: FleetPower, { day, shape, reference }: Past): Judgeable[] {
  return fleet.meters.flatMap((_, meter) => {
    if ((shape(meter, day)[AT.present] as number) < LEAST_PRESENT) return [];
    const usual = reference(meter, day);
    if (usual === undefined) return [];
    const drops = new Float64Array(DROPS);
    writeDrops(drops, 0, { shape: shape(meter, day), reference: usual, weekday: weekdayOf(fleet, day) });
    return [{ meter, usual, drops }];
  });
}

interface OwnPast {
  readonly day: number;
  readonly shape: (day: number) => Float32Array;
  readonly levels: readonly Uint8Array[];
  readonly flagged: Uint8Array;
}

/** The days that a meter is compared with; none while too few are known. */
function referenceDays({ day, shape, flagged }: OwnPast): number[] {
  const chosen: number[] = [];
  const oldest = Math.max(day - REFERENCE.oldestAgo, 0);
  // Of a plain past these are the days within twelve weeks: what is missing is not looked for in older ones.
  let looked = 0;
  for (let past = day - REFERENCE.endsAgo; past >= oldest && looked < REFERENCE.days; past--) {
    if (flagged[past] === 1) continue;
    looked += 1;
    if ((shape(past)[AT.present] as number) >= LEAST_PRESENT) chosen.push(past);
  }
  return chosen.length < LEAST_REFERENCE_DAYS ? [] : chosen;
}

/** What is usual for a meter on that day; undefined while too few days are known. */
function referenceOf(fleet: FleetPower, past: OwnPast): MeterReference | undefined {
  const chosen = referenceDays(past);
  if (chosen.length === 0) return undefined;
  const { shape, levels } = past;
  const shapes = new Float32Array(chosen.length * SHAPE_WIDTH);
  for (const [index, one] of chosen.entries()) shapes.set(shape(one), index * SHAPE_WIDTH);
  return buildReference({
    shapes,
    weekdays: chosen.map((one) => weekdayOf(fleet, one)),
    levels: chosen.map((one) => levels[one] as Uint8Array),
  });
}

/** Of all slots that are known, if any is. */
function lowestOf(days: readonly Float32Array[]): number | undefined {
  let lowest = Number.POSITIVE_INFINITY;
  for (const day of days) for (const watts of day) if (watts < lowest) lowest = watts;
  return Number.isFinite(lowest) ? lowest : undefined;
}

/** The median of each drop over all meters. */
export function peersOf(drops: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: DROPS }, (_, index) => {
    const median = medianOf(Float64Array.from(drops, (own) => own[index] as number).filter(Number.isFinite));
    return Number.isNaN(median) ? 0 : median;
  });
}
