import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { SlotWindows } from '../../models/window/slot-windows.js';
import { damageOf } from '../buffer/damage.js';
import { openReader } from '../buffer/reader.js';
import type { ChangeSeq } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';

interface Filling {
  readonly windows: SlotWindows;
  readonly tellDamage: (cause: string, logId: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Between two parts this thread answers the page and the centre. */
const PART_MS = 8;

/**
 * Puts what is analysed into the windows and says how far that reaches. Days of thousands of meters take seconds, and must
 * all be of one moment: so they are read through a connection of their own.
 */
export async function fillWindows(
  bufferPath: string,
  { windows, tellDamage, clock, signal }: Filling,
): Promise<ChangeSeq> {
  const reader = openReader(bufferPath);
  try {
    let upTo = reader.analysedUpTo();
    let untilMs = clock.monotonicMs() + PART_MS;
    for (upTo of reader.readAnalysed(windows.days, windows.put)) {
      if (clock.monotonicMs() < untilMs) continue;
      await turnOfTheLoop();
      signal.throwIfAborted();
      untilMs = clock.monotonicMs() + PART_MS;
    }
    return upTo;
  } catch (error) {
    const damage = damageOf(error);
    if (damage !== undefined) tellDamage(damage, reader.logId);
    throw error;
  } finally {
    reader.close();
  }
}
