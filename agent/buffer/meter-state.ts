import type { Connection } from './buffer-file.js';

interface Newest {
  takenAtMs: number;
  seq: number;
  slotStartMs: number;
}

interface StateRow {
  readonly meter: number;
  readonly lastSeq: number | null;
  readonly lastTakenAtMs: number | null;
  readonly newestSlotMs: number | null;
}

/** The newest reading and closed slot of each meter: in memory always, on disk with the slots that close. */
export interface MeterStates {
  sawReading(meter: number, seq: number, takenAtMs: number): void;
  /** Later slots of this meter are not in the file. */
  newestSlotMs(meter: number): number;
  sawSlot(meter: number, slotStartMs: number): void;
  /** What lies beyond comes of a clock that was wrong: the next reading takes its place. Only inside a transaction. */
  forgetBeyond(ms: number): void;
  /** Only inside a transaction. */
  save(meter: number, newestSlotMs: number): void;
  saveForecast(meter: number, issuedSlotMs: number): void;
}

export function openMeterStates(db: Connection): MeterStates {
  const upsert = db.prepare(
    `insert into meter_state (meter, last_seq, last_taken_at_ms, newest_slot_ms) values (?, ?, ?, ?)
     on conflict do update set last_seq = excluded.last_seq, last_taken_at_ms = excluded.last_taken_at_ms,
       newest_slot_ms = max(excluded.newest_slot_ms, coalesce(newest_slot_ms, 0))`,
  );
  const upsertForecast = db.prepare(
    `insert into meter_state (meter, newest_forecast_ms) values (?, ?)
     on conflict do update set newest_forecast_ms = max(excluded.newest_forecast_ms, coalesce(newest_forecast_ms, 0))`,
  );
  const forget = db.prepare(
    `update meter_state set newest_slot_ms = min(newest_slot_ms, @ms), newest_forecast_ms = min(newest_forecast_ms, @ms)
     where newest_slot_ms > @ms or newest_forecast_ms > @ms`,
  );
  const newest = new Map<number, Newest>();
  const rows = db.prepare<[], StateRow>(
    `select meter, last_seq as lastSeq, last_taken_at_ms as lastTakenAtMs, newest_slot_ms as newestSlotMs from meter_state`,
  );
  for (const { meter, lastSeq, lastTakenAtMs, newestSlotMs } of rows.all()) {
    newest.set(meter, { takenAtMs: lastTakenAtMs ?? -1, seq: lastSeq ?? 0, slotStartMs: newestSlotMs ?? -1 });
  }

  function of(meter: number): Newest {
    const known = newest.get(meter);
    if (known !== undefined) return known;
    const fresh = { takenAtMs: -1, seq: 0, slotStartMs: -1 };
    newest.set(meter, fresh);
    return fresh;
  }

  return {
    sawReading(meter, seq, takenAtMs) {
      const state = of(meter);
      if (takenAtMs <= state.takenAtMs) return;
      state.takenAtMs = takenAtMs;
      state.seq = seq;
    },
    newestSlotMs: (meter) => newest.get(meter)?.slotStartMs ?? -1,
    sawSlot(meter, slotStartMs) {
      const state = of(meter);
      state.slotStartMs = Math.max(state.slotStartMs, slotStartMs);
    },
    forgetBeyond(ms) {
      forget.run({ ms });
      for (const state of newest.values()) {
        if (state.takenAtMs > ms) state.takenAtMs = -1;
        state.slotStartMs = Math.min(state.slotStartMs, ms);
      }
    },
    save(meter, newestSlotMs) {
      const state = of(meter);
      upsert.run(meter, state.seq, state.takenAtMs, newestSlotMs);
    },
    saveForecast(meter, issuedSlotMs) {
      upsertForecast.run(meter, issuedSlotMs);
    },
  };
}
