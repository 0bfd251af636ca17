import { DAY_MS } from '../domain/slot.js';
import type { Connection } from './buffer-file.js';

/** What a row takes of the file, its part of the pages' unused room included; of readings and slots measured, see growth.test.ts. */
export const ROW_BYTES = { reading: 43, slot: 160, packedSlot: 9, forecast: 100, anomaly: 900, quality: 60 } as const;

/** Days are packed soon after their end; slots that are open for longer wait for somebody, and go on doing so. */
const OPEN_DAYS = 2;
/** Less of the log than this says nothing about a day. */
const SHORTEST_MS = 60_000;

/** How many bytes a day adds to the file at the present rate; undefined while the log is too short to tell. */
export function openGrowth(
  db: Connection,
  { lastSeq, slotMs }: { readonly lastSeq: () => number; readonly slotMs: number },
): (nowMs: number) => number | undefined {
  const rowFrom = db.prepare<[number], { readonly seq: number; readonly receivedAtMs: number }>(
    'select seq, received_at_ms as receivedAtMs from reading where seq >= ? order by seq limit 1',
  );
  const rowsOfSlot = {
    slot: db.prepare<[number], number>('select count(*) from slot where slot_start_ms = ?').pluck(),
    forecast: db.prepare<[number], number>('select count(*) from forecast where issued_slot_ms = ?').pluck(),
  };

  const oldestOpen = db.prepare<[], number | null>('select min(slot_start_ms) from slot').pluck();

  /** The first row of the last day, or the oldest one: rows stand in the order of their arrival. */
  function firstOfDay(nowMs: number): { readonly seq: number; readonly receivedAtMs: number } | undefined {
    const oldest = rowFrom.get(0);
    if (oldest === undefined || oldest.receivedAtMs >= nowMs - DAY_MS) return oldest;
    let before = oldest.seq;
    let found = oldest;
    for (let end = lastSeq(); before < end; ) {
      const middle = Math.floor((before + end) / 2);
      const row = rowFrom.get(middle);
      if (row === undefined || row.receivedAtMs >= nowMs - DAY_MS) {
        end = middle;
        if (row !== undefined) found = row;
      } else before = Math.max(row.seq, middle) + 1;
    }
    return found;
  }

  return (nowMs) => {
    const first = firstOfDay(nowMs);
    if (first === undefined || nowMs - first.receivedAtMs < SHORTEST_MS) return undefined;
    const elapsedMs = Math.min(DAY_MS, nowMs - first.receivedAtMs);
    const readingsPerDay = ((lastSeq() - first.seq + 1) * DAY_MS) / elapsedMs;
    // Of a slot that is over and stored with all its results.
    const lastSlotMs = Math.floor(nowMs / slotMs - 2) * slotMs;
    const slotsPerDay = DAY_MS / slotMs;
    const isPacked = (oldestOpen.get() ?? nowMs) > nowMs - OPEN_DAYS * DAY_MS;
    return (
      readingsPerDay * ROW_BYTES.reading +
      slotsPerDay * (rowsOfSlot.slot.get(lastSlotMs) ?? 0) * (isPacked ? ROW_BYTES.packedSlot : ROW_BYTES.slot) +
      slotsPerDay * (rowsOfSlot.forecast.get(lastSlotMs) ?? 0) * ROW_BYTES.forecast
    );
  };
}
