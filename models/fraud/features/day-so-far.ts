import { SHAPE_WIDTH, writeShape } from './day-shape.js';
import { DROPS, EVIDENCE_WIDTH, type MeterReference, writeDrops, writeEvidence } from './evidence.js';
import { ROW_WIDTH, writeRow } from './evidence-row.js';

/** What a meter brings along from the days before. */
export interface MeterPast {
  readonly reference: MeterReference;
  /** EVIDENCE_WIDTH numbers of each of the last days that ended, oldest first; NaN of those that were not judged. */
  readonly evidence: Float32Array;
}

export interface SlotToJudge {
  readonly past: MeterPast;
  /** The 24 hours that end with the slot, in order of time. */
  readonly powerW: Float32Array;
  /** Of the day that the slot belongs to; 0 is Monday. */
  readonly weekday: number;
}

/** The last 24 hours by themselves. */
export interface DaySoFar {
  readonly shape: Float32Array;
  /** By how much they lie below what is usual; the median over all meters is what each is freed from. */
  readonly drops: Float64Array;
}

export function lookAt({ past, powerW, weekday }: SlotToJudge): DaySoFar {
  const shape = new Float32Array(SHAPE_WIDTH);
  writeShape(shape, 0, powerW);
  const drops = new Float64Array(DROPS);
  writeDrops(drops, 0, { shape, reference: past.reference, weekday });
  return { shape, drops };
}

/**
 * The evidence row of a slot: as that of a day, with the 24 hours that end now in place of the day. So a slot at the
 * end of a day has the very row of that day, and none needs what comes after it.
 */
export function rowSoFar({ past, powerW }: SlotToJudge, { shape, drops }: DaySoFar, peers: Float64Array): Float32Array {
  const { reference } = past;
  const evidence = new Float32Array(past.evidence.length + EVIDENCE_WIDTH);
  evidence.set(past.evidence);
  writeEvidence(evidence, past.evidence.length, { shape, powerW, reference, drops, peers });
  const row = new Float32Array(ROW_WIDTH);
  writeRow(row, 0, { evidence, day: past.evidence.length / EVIDENCE_WIDTH });
  return row;
}
