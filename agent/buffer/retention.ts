import type { StreamName } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import { DAY_MS } from './quality-book.js';
import type { ReadingLog } from './reading-log.js';
import type { Transactions } from './transactions.js';

/** Rows dropped of one table in one step: a few milliseconds on the thread that takes readings in. */
const STEP_ROWS = 2_000;

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
  readonly readingLog: ReadingLog;
  /** The first row that an open slot still needs. */
  readonly replayFrom: () => number;
  readonly retentionMs: number;
  readonly maxRejected: number;
  readonly keepUnsettled: boolean;
}

export function openRetention(db: Connection, parts: Parts): Retention {
  const { transactions, readingLog, replayFrom, retentionMs, maxRejected, keepUnsettled } = parts;
  const oldest = db.prepare<[number, number], { seq: number; newestMs: number }>(
    `select seq, max(received_at_ms, taken_at_ms) as newestMs from reading where seq <= ? order by seq limit ?`,
  );
  const deleteReadings = db.prepare('delete from reading where seq <= ?');
  const deleteForecasts = db.prepare(
    `delete from forecast where (issued_slot_ms, meter) in (
       select issued_slot_ms, meter from forecast where issued_slot_ms < ? and change_seq <= ?
       order by issued_slot_ms limit ?)`,
  );
  const deleteQuality = db.prepare(
    `delete from quality where (day, meter, rule) in (
       select day, meter, rule from quality where day < ? order by day limit ?)`,
  );
  const settled = (stream: StreamName): number =>
    keepUnsettled ? transactions.position(`settled:${stream}`) : Number.MAX_SAFE_INTEGER;

  function pruneReadings(cutoffMs: number): number {
    const rows = oldest.all(Math.min(settled('reading'), replayFrom() - 1), STEP_ROWS);
    const young = rows.findIndex((row) => row.newestMs >= cutoffMs);
    const last = rows.at(young === -1 ? -1 : young - 1);
    if (young === 0 || last === undefined) return 0;
    return deleteReadings.run(last.seq).changes;
  }

  return {
    step(nowMs) {
      const cutoffMs = nowMs - retentionMs;
      return transactions.run(() => {
        const readings = pruneReadings(cutoffMs);
        const rejected = readingLog.trimRejected(maxRejected, STEP_ROWS);
        const forecasts = deleteForecasts.run(cutoffMs, settled('forecast'), STEP_ROWS).changes;
        transactions.count('forecasts', -forecasts);
        const quality = deleteQuality.run(Math.floor(cutoffMs / DAY_MS), STEP_ROWS).changes;
        const more = Math.max(readings, rejected, forecasts, quality) === STEP_ROWS;
        return { readings, rejected, forecasts, quality, more };
      });
    },
  };
}
