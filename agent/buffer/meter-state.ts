import type { Connection } from './buffer-file.js';
import type { Newest } from './slot-neighbours.js';

interface StateRow {
  readonly meter: number;
  readonly lastSeq: number | null;
  readonly lastTakenAtMs: number | null;
  readonly newestSlotMs: number | null;
  readonly newestRegisterMs: number | null;
}

/** The newest reading and closed slot of each meter: in memory always, on disk with the slots that close. */
export interface MeterStates {
  sawReading(meter: number, seq: number, takenAtMs: number): void;
  /** Later slots of this meter are not in the file. */
  newestOf(meter: number): Newest;
  sawSlot(meter: number, newest: Newest): void;
  /** What lies beyond comes of a clock that was wrong: the next reading takes its place. Only inside a transaction. */
  forgetBeyond(ms: number): void;
  /** Only inside a transaction. */
  save(meter: number, newest: Newest): void;
  saveForecast(meter: number, issuedSlotMs: number): void;
}

const NEVER_MS = -1;
const NOTHING: Newest = { slotStartMs: NEVER_MS, registerMs: NEVER_MS };

export function openMeterStates(db: Connection): MeterStates {
  const upsert = db.prepare(
    `insert into meter_state (meter, last_seq, last_taken_at_ms, newest_slot_ms, newest_register_ms) values (?, ?, ?, ?, ?)
     on conflict do update set last_seq = excluded.last_seq, last_taken_at_ms = excluded.last_taken_at_ms,
       newest_slot_ms = max(excluded.newest_slot_ms, coalesce(newest_slot_ms, 0)),
       newest_register_ms = max(excluded.newest_register_ms, coalesce(newest_register_ms, -1))`,
  );
  const upsertForecast = db.prepare(
    `insert into meter_state (meter, newest_forecast_ms) values (?, ?)
     on conflict do update set newest_forecast_ms = max(excluded.newest_forecast_ms, coalesce(newest_forecast_ms, 0))`,
  );
  const forget = db.prepare(
    `update meter_state set newest_slot_ms = min(newest_slot_ms, @ms), newest_forecast_ms = min(newest_forecast_ms, @ms),
       newest_register_ms = min(newest_register_ms, @ms)
     where newest_slot_ms > @ms or newest_forecast_ms > @ms or newest_register_ms > @ms`,
  );
  /** By the number of the meter; the first two move with each reading. */
  const takenAt: number[] = [];
  const seqs: number[] = [];
  const newest: Newest[] = [];
  const rows = db.prepare<[], StateRow>(
    `select meter, last_seq as lastSeq, last_taken_at_ms as lastTakenAtMs, newest_slot_ms as newestSlotMs,
       newest_register_ms as newestRegisterMs from meter_state`,
  );
  for (const { meter, lastSeq, lastTakenAtMs, newestSlotMs, newestRegisterMs } of rows.all()) {
    takenAt[meter] = lastTakenAtMs ?? NEVER_MS;
    seqs[meter] = lastSeq ?? 0;
    newest[meter] = { slotStartMs: newestSlotMs ?? NEVER_MS, registerMs: newestRegisterMs ?? NEVER_MS };
  }

  return {
    sawReading(meter, seq, takenAtMs) {
      if (takenAtMs <= (takenAt[meter] ?? NEVER_MS)) return;
      takenAt[meter] = takenAtMs;
      seqs[meter] = seq;
    },
    newestOf: (meter) => newest[meter] ?? NOTHING,
    sawSlot(meter, one) {
      newest[meter] = one;
    },
    forgetBeyond(ms) {
      forget.run({ ms });
      takenAt.forEach((takenAtMs, meter) => {
        if (takenAtMs > ms) takenAt[meter] = NEVER_MS;
      });
      newest.forEach(({ slotStartMs, registerMs }, meter) => {
        newest[meter] = { slotStartMs: Math.min(slotStartMs, ms), registerMs: Math.min(registerMs, ms) };
      });
    },
    save(meter, { slotStartMs, registerMs }) {
      upsert.run(meter, seqs[meter] ?? 0, takenAt[meter] ?? NEVER_MS, slotStartMs, registerMs);
    },
    saveForecast(meter, issuedSlotMs) {
      upsertForecast.run(meter, issuedSlotMs);
    },
  };
}
