import type { LostRange } from '../../domain/damage.js';
import type { Connection } from '../buffer-file.js';
import { damageOf } from '../damage.js';
import type { DamageReport } from '../damage-book.js';
import type { RestoreBatch, Restored } from '../restoring.js';
import { salvagePlan, type TablePlan } from './plan.js';
import { type Gap, scanTable } from './scan.js';
import { openSource } from './source.js';

export interface SalvageRequest {
  /** The file that was set aside, with its path. */
  readonly path: string;
  /** The name by which the new file knows it. */
  readonly file: string;
  /** Rows of each table that are in the new file already. */
  readonly done: Readonly<Record<string, number>>;
  /** With a centre: readings that it has are left where they are. */
  readonly keepUnsettled: boolean;
}

/** Stores a batch; the next is read when it has. */
export type Hand = (batch: RestoreBatch) => Promise<Restored>;

/** Gaps named one by one; a disk with more holes than this is told by their number. */
const MAX_LOST = 200;
const MOMENTS = ['received_at_ms', 'slot_start_ms', 'issued_slot_ms'];

/** Reads a damaged file from end to end and hands over what is readable. */
export async function salvage(request: SalvageRequest, hand: Hand): Promise<DamageReport> {
  const source = openSource(request.path);
  if (source === undefined) {
    const note = 'nothing in the file could be read; it is kept as it is';
    return { state: 'given_up', restored: {}, lost: [], notes: [note] };
  }
  const { db } = source;
  const notes = [...source.notes];
  const restored: Record<string, number> = {};
  const lost: LostRange[] = [];
  let unusable = 0;
  try {
    const positions = readPositions(db, request.keepUnsettled);
    if (positions.skipReadings > 0) {
      notes.push(`readings up to ${positions.skipReadings} are at the centre and are left in the file`);
    }
    for (const table of salvagePlan()) {
      const found = await salvageTable(table, { db, request, positions, hand });
      restored[table.name] = found.stored;
      unusable += found.unusable;
      lost.push(...found.lost);
    }
  } finally {
    db.close();
  }
  if (unusable > 0) notes.push(`${unusable} rows had content that cannot be right`);
  if (lost.length > MAX_LOST) notes.push(`${lost.length} gaps in all`);
  return { state: 'salvaged', restored, lost: lost.slice(0, MAX_LOST), notes };
}

interface Work {
  readonly db: Connection;
  readonly request: SalvageRequest;
  readonly positions: Positions;
  readonly hand: Hand;
}

async function salvageTable({ name, key }: TablePlan, { db, request, positions, hand }: Work) {
  const found = { stored: 0, unusable: 0, lost: [] as LostRange[] };
  const columns = columnsOf(db, name);
  if (columns === 'unreadable') {
    found.lost.push({ table: name, after: null, before: null, rows: null, fromMs: null, toMs: null });
    return found;
  }
  // A version before did not have it.
  if (columns.length === 0) return found;
  const already = request.done[name] ?? 0;
  const after = name === 'reading' ? positions.skipReadings : undefined;
  let handled = 0;
  for (const step of scanTable(db, { table: name, key, columns, ...(after !== undefined && { after }) })) {
    if ('lost' in step) {
      found.lost.push(rangeOf(step.lost, { name, key, columns }));
      continue;
    }
    const rows = step.rows.slice(Math.max(0, Math.min(step.rows.length, already - handled)));
    handled += step.rows.length;
    if (rows.length === 0) continue;
    const { file } = request;
    const { analysedUpTo } = positions;
    const outcome = await hand({ file, table: name, columns, rows, done: handled, analysedUpTo });
    found.stored += outcome.stored;
    found.unusable += outcome.unusable;
  }
  return found;
}

interface Positions {
  readonly analysedUpTo: number;
  /** Readings up to here are neither waited for by the centre nor needed by an open slot. */
  readonly skipReadings: number;
}

function readPositions(db: Connection, keepUnsettled: boolean): Positions {
  try {
    const select = db
      .prepare<[string], number>(
        `select position from cursor where name = ? and log_id = (select value from setting where name = 'log_id')`,
      )
      .pluck();
    const of = (name: string): number => select.get(name) ?? 0;
    const skipReadings = keepUnsettled ? Math.max(0, Math.min(of('settled:reading'), of('replay') - 1)) : 0;
    return { analysedUpTo: of('analysed'), skipReadings };
  } catch (error) {
    if (damageOf(error) === undefined) throw error;
    return { analysedUpTo: 0, skipReadings: 0 };
  }
}

function columnsOf(db: Connection, table: string): readonly string[] | 'unreadable' {
  try {
    return (db.pragma(`table_info(${table})`) as { readonly name: string }[]).map(({ name }) => name);
  } catch (error) {
    if (damageOf(error) === undefined) throw error;
    return 'unreadable';
  }
}

function rangeOf(
  { after, before }: Gap,
  { name, key, columns }: TablePlan & { readonly columns: readonly string[] },
): LostRange {
  const indexes = key.map((one) => columns.indexOf(one));
  const keyOf = (row: readonly unknown[] | null) => (row === null ? null : indexes.map((index) => row[index]));
  const moment = columns.findIndex((column) => MOMENTS.includes(column));
  const momentOf = (row: readonly unknown[] | null): number | null => {
    const value = row?.[moment];
    return typeof value === 'number' ? value : null;
  };
  const first = keyOf(before)?.[0];
  const last = keyOf(after)?.[0] ?? 0;
  const countable = key.length === 1 && typeof first === 'number' && typeof last === 'number';
  return {
    table: name,
    after: keyOf(after),
    before: keyOf(before),
    rows: countable ? first - last - 1 : null,
    fromMs: momentOf(after),
    toMs: momentOf(before),
  };
}
