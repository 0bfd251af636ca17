import { EVIDENCE_WIDTH } from './evidence.js';

/** Beside the day itself: single days are odd in many homes, weeks in few. */
export const MEAN_DAYS = [3, 7] as const;
/** What the forest sees: evidence of the day, then its means over the last days. */
export const ROW_WIDTH = (1 + MEAN_DAYS.length) * EVIDENCE_WIDTH;

/** EVIDENCE_WIDTH numbers of each day, NaN where a day was not judged. */
export interface EvidenceOfDays {
  readonly evidence: Float32Array;
  /** The day that the row is of; none after it is looked at. */
  readonly day: number;
}

/** Writes ROW_WIDTH numbers at `offset`; NaN where the day was not judged. */
export function writeRow(out: Float32Array, offset: number, { evidence, day }: EvidenceOfDays): void {
  const today = evidence.subarray(day * EVIDENCE_WIDTH, (day + 1) * EVIDENCE_WIDTH);
  if (Number.isNaN(today[0])) {
    out.fill(Number.NaN, offset, offset + ROW_WIDTH);
    return;
  }
  out.set(today, offset);
  for (const [block, length] of MEAN_DAYS.entries()) {
    const from = offset + (block + 1) * EVIDENCE_WIDTH;
    for (let index = 0; index < EVIDENCE_WIDTH; index++) out[from + index] = meanOf({ evidence, day }, index, length);
  }
}

/** Of the last `length` days up to `day`, as far as they were judged. */
function meanOf({ evidence, day }: EvidenceOfDays, index: number, length: number): number {
  let sum = 0;
  let count = 0;
  for (let past = Math.max(day - length + 1, 0); past <= day; past++) {
    const value = evidence[past * EVIDENCE_WIDTH + index] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}
