import type { EpochMs } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';

interface SlotWriter {
  closeSlots(now: EpochMs, limit: number): { readonly closed: number; readonly more: boolean };
  packDays(now: EpochMs): { readonly days: number; readonly more: boolean };
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Slots closed in one transaction: about 5 ms of the thread that also takes readings in. */
const STEP = 500;
const EVERY_MS = 1_000;
/** Between two steps of packing the thread takes readings in. */
const PACKING_EVERY_MS = 50;
const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };

/** Closes the slots whose time has come, a bounded step at a time, and says how many; then packs finished days. */
export function createSlotTimer(
  buffer: SlotWriter,
  onClosed: (closed: number) => void,
  { metrics, ...surroundings }: Surroundings,
): Part {
  let loop: Loop | undefined;
  return {
    name: 'slots',
    async start() {
      loop = supervise(
        {
          name: 'slots',
          backoff: BACKOFF,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'slots' }),
          async turn() {
            const { closed, more } = buffer.closeSlots(surroundings.clock.now(), STEP);
            if (closed > 0) onClosed(closed);
            if (more) return 0;
            const packing = buffer.packDays(surroundings.clock.now());
            if (packing.days > 0) metrics.inc('slot_packings_total', packing.days);
            return packing.more ? PACKING_EVERY_MS : EVERY_MS;
          },
        },
        surroundings,
      );
    },
    async stop() {
      await loop?.stop();
    },
  };
}
