import type { StreamName } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import { DAY_MS } from './quality-book.js';
import { RECEIVED_AT, TAKEN_AT } from './reads/columns.js';
import type { RejectedLog } from './rejected-log.js';
import type { Transactions } from './transactions.js';

/** Rows dropped of one table in one step: a few milliseconds on the thread that takes readings in. */
const STEP_ROWS = 2_000;

/** Beyond what validation lets a meter's clock be ahead; a time further on comes of a clock that was wrong. */
const MAX_AHEAD_MS = 2 * 86_400_000;
const PROBE_ROWS = 100;
const NEWEST_AT = `max(${RECEIVED_AT}, ${TAKEN_AT})`;

interface ForecastRow {
  readonly issuedSlotMs: number;
  readonly meter: number;
  readonly changeSeq: number;
}
const BEGINNING = { issuedSlotMs: -1, meter: -1 };

export interface Pruned {
  readonly readings: number;
  readonly rejected: number;
  readonly forecasts: number;
  readonly quality: number;
  readonly more: boolean;
}

export interface Retention {
  /** One step; the caller goes on while there is more. */
  step(nowMs: number): Pruned;
}

interface Parts {
  readonly transactions: Transactions;
  readonly rejectedLog: RejectedLog;
  /** The first row that an open slot still needs. */
  readonly replayFrom: () => number;
  readonly retentionMs: number;
  readonly keepUnsettled: boolean;
}

export function openRetention(db: Connection, parts: Parts): Retention {
  const { transactions, rejectedLog, replayFrom, retentionMs, keepUnsettled } = parts;
  const oldest = db.prepare<[number, number], { seq: number; newestMs: number }>(
    `select r.seq, ${NEWEST_AT} as newestMs from reading r join boot b on b.id = r.boot
     where r.seq <= ? order by r.seq limit ?`,
  );
  const deleteReadings = db.prepare('delete from reading where seq <= ?');
  const plausibleAt = db.prepare<[number, number, number], { newestMs: number }>(
    `select ${NEWEST_AT} as newestMs from reading r join boot b on b.id = r.boot
     where r.seq >= ? and r.seq <= ? order by r.seq limit ?`,
  );
  const deleteQuality = db.prepare(
    `delete from quality where (day, meter, rule) in (
       select day, meter, rule from quality where day < ? order by day limit ?)`,
  );
  const oldForecasts = db.prepare<[number, number, number, number], ForecastRow>(
    `select issued_slot_ms as issuedSlotMs, meter, change_seq as changeSeq from forecast
     where (issued_slot_ms, meter) > (?, ?) and issued_slot_ms < ? order by issued_slot_ms, meter limit ?`,
  );
  const deleteForecast = db.prepare('delete from forecast where issued_slot_ms = ? and meter = ?');
  const settled = (stream: StreamName): number =>
    keepUnsettled ? transactions.position(`settled:${stream}`) : Number.MAX_SAFE_INTEGER;

  /** The log is in the order of arrival: a row that is followed by an old one is old, whatever its own time says. */
  function pruneReadings(cutoffMs: number, nowMs: number): number {
    const limit = Math.min(settled('reading'), replayFrom() - 1);
    const isPlausible = (row: { readonly newestMs: number }): boolean => row.newestMs <= nowMs + MAX_AHEAD_MS;
    const rows = oldest.all(limit, STEP_ROWS);
    const young = rows.findIndex((row) => row.newestMs >= cutoffMs && isPlausible(row));
    const before = young === -1 ? rows : rows.slice(0, young);
    const end = before.at(-1);
    const reach = end !== undefined && young === -1 && !isPlausible(end) && oldRowBehind(end.seq) ? end : undefined;
    const last = reach ?? before.findLast(isPlausible);
    return last === undefined ? 0 : deleteReadings.run(last.seq).changes;

    /** Looks further and further on, at a few rows each time. */
    function oldRowBehind(seq: number): boolean {
      for (let step = 1; seq + step <= limit; step *= 2) {
        const found = plausibleAt.all(seq + step, limit, PROBE_ROWS).find(isPlausible);
        if (found !== undefined) return found.newestMs < cutoffMs;
      }
      return false;
    }
  }

  /** Goes on where the last step ended: what is not settled is passed over once in a round, not in every step. */
  function pruneForecasts(cutoffMs: number): { readonly deleted: number; readonly more: boolean } {
    const upTo = settled('forecast');
    const rows = oldForecasts.all(passed.issuedSlotMs, passed.meter, cutoffMs, STEP_ROWS);
    const droppable = rows.filter((row) => row.changeSeq <= upTo);
    for (const { issuedSlotMs, meter } of droppable) deleteForecast.run(issuedSlotMs, meter);
    const end = rows.at(-1);
    const more = rows.length === STEP_ROWS && end !== undefined;
    passed = more ? end : BEGINNING;
    return { deleted: droppable.length, more };
  }
  let passed: Pick<ForecastRow, 'issuedSlotMs' | 'meter'> = BEGINNING;

  return {
    step(nowMs) {
      const cutoffMs = nowMs - retentionMs;
      return transactions.run(() => {
        const readings = pruneReadings(cutoffMs, nowMs);
        const rejected = rejectedLog.trim(STEP_ROWS);
        const { deleted: forecasts, more } = pruneForecasts(cutoffMs);
        transactions.count('dropped:reading', readings);
        transactions.count('forecasts', -forecasts);
        const quality = deleteQuality.run(Math.floor(cutoffMs / DAY_MS), STEP_ROWS).changes;
        const full = Math.max(readings, rejected, quality) === STEP_ROWS;
        return { readings, rejected, forecasts, quality, more: more || full };
      });
    },
  };
}
