import type { Connection } from './buffer-file.js';

/** When a meter was last heard, and how often it usually is. */
export interface Heard {
  readonly atMs: number | undefined;
  /** Undefined until enough is known. */
  readonly intervalMs: number | undefined;
}

export interface HeardBook {
  heard(meter: number, receivedAtMs: number): void;
  of(meter: number): Heard;
  /** The gateway's time has moved: what was heard lies as long ago as before. */
  moved(byMs: number): void;
  /** Only inside a transaction; writes what has changed enough to matter. */
  save(meters: readonly number[]): void;
}

interface Memory {
  /** The last ones, in a ring. */
  readonly gaps: number[];
  next: number;
  storedMs: number | undefined;
}

const GAPS = 15;
const ENOUGH_GAPS = 3;
/** What comes closer together is one message in parts, or one that is repeated. */
const BURST_MS = 5_000;
/** The upper quartile: of a meter that reports changes it is nearer to its quiet hours, and one outage does not move it. */
const QUANTILE = 0.75;
const WORTH_WRITING = 1.2;

export function openHeardBook(db: Connection): HeardBook {
  const upsert = db.prepare(
    `insert into meter_state (meter, interval_ms) values (?, ?)
     on conflict do update set interval_ms = excluded.interval_ms`,
  );
  const stored = db.prepare<[], { readonly meter: number; readonly intervalMs: number }>(
    'select meter, interval_ms as intervalMs from meter_state where interval_ms is not null',
  );
  /** By the number of the meter: when it was last heard, which moves with each reading, and what was learned of it. */
  const heardAt: number[] = [];
  const memories: Memory[] = [];
  for (const { meter, intervalMs } of stored.all()) memories[meter] = { gaps: [], next: 0, storedMs: intervalMs };

  function intervalOf({ gaps, storedMs }: Memory): number | undefined {
    if (gaps.length < ENOUGH_GAPS) return storedMs;
    return [...gaps].sort((a, b) => a - b)[Math.ceil(QUANTILE * (gaps.length - 1))];
  }

  return {
    heard(meter, receivedAtMs) {
      const gapMs = receivedAtMs - (heardAt[meter] ?? receivedAtMs);
      heardAt[meter] = receivedAtMs;
      if (gapMs < BURST_MS) return;
      const memory = memories[meter] ?? { gaps: [], next: 0, storedMs: undefined };
      memories[meter] = memory;
      memory.gaps[memory.next] = gapMs;
      memory.next = (memory.next + 1) % GAPS;
    },
    of(meter) {
      const memory = memories[meter];
      return { atMs: heardAt[meter], intervalMs: memory === undefined ? undefined : intervalOf(memory) };
    },
    moved(byMs) {
      heardAt.forEach((atMs, meter) => {
        heardAt[meter] = atMs + byMs;
      });
    },
    save(meters) {
      for (const meter of meters) {
        const memory = memories[meter];
        if (memory === undefined) continue;
        const intervalMs = intervalOf(memory);
        if (intervalMs === undefined) continue;
        const known = memory.storedMs;
        if (known !== undefined && Math.max(known / intervalMs, intervalMs / known) < WORTH_WRITING) continue;
        upsert.run(meter, intervalMs);
        memory.storedMs = intervalMs;
      }
    },
  };
}
