import type { StreamName } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import { ROW_BYTES } from './growth.js';
import { openPassing } from './passing.js';
import { DAY_MS } from './quality-book.js';
import { RECEIVED_AT, TAKEN_AT } from './reads/columns.js';
import type { RejectedLog } from './rejected-log.js';
import { newestRowOf } from './row-numbers.js';
import { type SlotDays, STEP_DAYS } from './slot-days.js';
import type { Transactions } from './transactions.js';

/** Rows dropped of one table in one step: a few milliseconds on the thread that takes readings in. */
const STEP_ROWS = 2_000;

/** Beyond what validation lets a meter's clock be ahead; a time further on comes of a clock that was wrong. */
const MAX_AHEAD_MS = 2 * 86_400_000;
const PROBE_ROWS = 100;
const NEWEST_AT = `max(${RECEIVED_AT}, ${TAKEN_AT})`;

export interface Pruned {
  readonly readings: number;
  readonly rejected: number;
  readonly slots: number;
  /** Packed days, of one meter each. */
  readonly days: number;
  readonly forecasts: number;
  readonly anomalies: number;
  readonly quality: number;
  readonly more: boolean;
}

export const NOTHING_PRUNED: Pruned = {
  readings: 0,
  rejected: 0,
  slots: 0,
  days: 0,
  forecasts: 0,
  anomalies: 0,
  quality: 0,
  more: false,
};

/** What is kept of one table; the bound that is met first holds. */
export interface Kept {
  readonly ms: number;
  readonly rows: number;
  /** By the room that a row takes on average, see growth.ts. */
  readonly bytes: number;
}

export type Keep = Readonly<Record<'readings' | 'slots' | 'forecasts' | 'anomalies' | 'quality', Kept>>;

const UNBOUNDED = { rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
const FOR_EVER: Kept = { ms: Number.POSITIVE_INFINITY, ...UNBOUNDED };

/** What is found in the readings stays when they go. */
export function keepFor(retentionMs: number): Keep {
  const aged: Kept = { ms: retentionMs, ...UNBOUNDED };
  return { readings: aged, forecasts: aged, quality: aged, slots: FOR_EVER, anomalies: FOR_EVER };
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
  readonly keep: Keep;
  readonly keepUnsettled: boolean;
  readonly days: Pick<SlotDays, 'prune' | 'firstMs'>;
}

export function openRetention(db: Connection, parts: Parts): Retention {
  const { transactions, rejectedLog, replayFrom, keep, keepUnsettled, days } = parts;
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
  const count = db.prepare<[string], number>('select value from counter where name = ?').pluck();
  const lastSeq = newestRowOf(db);
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

  const slots = openPassing(db, 'slot');
  const forecasts = openPassing(db, 'forecast');
  const anomalies = openPassing(db, 'anomaly');
  const upTo = { forecast: () => settled('forecast'), anomaly: () => settled('anomaly') };

  /** Rows beyond the bounds of number and bytes. */
  function excess(rows: number, rowBytes: number, { rows: most, bytes }: Kept): number {
    return Math.max(0, rows - Math.min(most, Math.floor(bytes / rowBytes)));
  }

  function pruneExcessReadings(): number {
    const rows = lastSeq() - (count.get('dropped:reading') ?? 0);
    const over = Math.min(STEP_ROWS, excess(rows, ROW_BYTES.reading, keep.readings));
    if (over === 0) return 0;
    const limit = Math.min(settled('reading'), replayFrom() - 1);
    const last = oldest.all(limit, over).at(-1);
    return last === undefined ? 0 : deleteReadings.run(last.seq).changes;
  }

  /** Slots beyond the bounds: the packed ones are the oldest, and go first. */
  function excessSlots(): { readonly packed: number; readonly open: number } {
    const [all, packed] = [count.get('slots') ?? 0, count.get('packed') ?? 0];
    const open = Math.max(0, all - packed);
    const { rows, bytes } = keep.slots;
    const overRows = Math.max(0, all - rows);
    const overBytes = Math.max(0, packed * ROW_BYTES.packedSlot + open * ROW_BYTES.slot - bytes);
    const ofPacked = Math.min(packed, Math.max(overRows, Math.ceil(overBytes / ROW_BYTES.packedSlot)));
    const restBytes = Math.max(0, overBytes - ofPacked * ROW_BYTES.packedSlot);
    return { packed: ofPacked, open: Math.max(overRows - ofPacked, Math.ceil(restBytes / ROW_BYTES.slot)) };
  }

  /** What is open again over a packed day stays as long as the day. */
  function pruneSlots(beforeMs: number) {
    const { packed, open } = excessSlots();
    const limits = { beforeMs, over: packed, upTo: settled('slot') };
    const dropped = packed > 0 || Number.isFinite(beforeMs) ? days.prune(limits) : 0;
    const firstMs = days.firstMs();
    const passed = slots.step({
      beforeMs: Math.min(beforeMs, firstMs ?? Number.POSITIVE_INFINITY),
      over: firstMs === undefined ? open : 0,
      upTo: settled('slot'),
    });
    return { days: dropped, passed };
  }

  return {
    step(nowMs) {
      const old = (what: keyof Keep): number => nowMs - keep[what].ms;
      const over = (name: 'forecasts' | 'anomalies', rowBytes: number): number =>
        excess(count.get(name) ?? 0, rowBytes, keep[name]);
      return transactions.run(() => {
        const ofAge = pruneReadings(old('readings'), nowMs);
        const readings = ofAge > 0 ? ofAge : pruneExcessReadings();
        const rejected = rejectedLog.trim(STEP_ROWS);
        const { days: droppedDays, passed } = pruneSlots(old('slots'));
        const dropped = {
          slots: passed,
          forecasts: forecasts.step({
            beforeMs: old('forecasts'),
            over: over('forecasts', ROW_BYTES.forecast),
            upTo: upTo.forecast(),
          }),
          anomalies: anomalies.step({
            beforeMs: old('anomalies'),
            over: over('anomalies', ROW_BYTES.anomaly),
            upTo: upTo.anomaly(),
          }),
        };
        transactions.count('dropped:reading', readings);
        for (const name of ['slots', 'forecasts', 'anomalies'] as const) {
          transactions.count(name, -dropped[name].deleted);
        }
        const quality = deleteQuality.run(Math.floor(old('quality') / DAY_MS), STEP_ROWS).changes;
        const full = Math.max(readings, rejected, quality) === STEP_ROWS;
        return {
          readings,
          rejected,
          quality,
          slots: dropped.slots.deleted,
          forecasts: dropped.forecasts.deleted,
          anomalies: dropped.anomalies.deleted,
          days: droppedDays,
          more: full || droppedDays === STEP_DAYS || Object.values(dropped).some(({ more }) => more),
        };
      });
    },
  };
}
