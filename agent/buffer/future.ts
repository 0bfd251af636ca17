import type { Connection } from './buffer-file.js';
import type { MeterStates } from './meter-state.js';
import type { Transactions } from './transactions.js';

/** Validation lets no meter's clock be further ahead: a later time comes of a clock of this gateway that was wrong. */
export const MAX_AHEAD_MS = 86_400_000;

/** What a clock that ran ahead has left behind. Its readings stay in the log; what was made of them goes. */
export interface Future {
  /** Only inside a transaction. */
  forget(beyondMs: number): void;
}

interface Parts {
  readonly transactions: Transactions;
  readonly states: MeterStates;
}

export function openFuture(db: Connection, { transactions, states }: Parts): Future {
  const slots = db.prepare('delete from slot where slot_start_ms > ?');
  const forecasts = db.prepare('delete from forecast where issued_slot_ms > ?');
  return {
    forget(beyondMs) {
      const atMs = Math.floor(beyondMs);
      states.forgetBeyond(atMs);
      transactions.count('slots', -slots.run(atMs).changes);
      transactions.count('forecasts', -forecasts.run(atMs).changes);
    },
  };
}
