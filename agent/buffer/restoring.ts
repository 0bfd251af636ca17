import { epochMs, type MeterId, parseMeterId } from '../domain/brand.js';
import { codeOf } from '../domain/errors.js';
import type { Meter, MeterKind } from '../domain/meter.js';
import { REJECT_REASONS, type RejectReason } from '../domain/rejection.js';
import { SCALE } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import type { MeterBook } from './meter-book.js';
import type { MeterStates } from './meter-state.js';
import type { ModelBook } from './model-book.js';
import type { Placement } from './placement.js';
import type { ReadingLog } from './reading-log.js';
import type { RejectedLog } from './rejected-log.js';
import type { LogRow, SlotBook } from './slot-book.js';
import type { Transactions } from './transactions.js';

/** Rows of one table of a file that was set aside, as they stand there; tables come in the order of salvage/plan.ts. */
export interface RestoreBatch {
  readonly file: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Rows of this table handed over so far, these included; where to go on after a kill. */
  readonly done: number;
  /** In that file: changes of slots up to here were analysed. */
  readonly analysedUpTo: number;
}

export interface Restoring {
  restore(batch: RestoreBatch): Restored;
  /** What comes in meanwhile: a meter that sends again what is in the old file has said it once. */
  sawLive(rows: readonly LogRow[]): void;
  end(file: string): void;
}

export interface Restored {
  readonly stored: number;
  /** Stored already. */
  readonly known: number;
  /** Content that cannot be right. */
  readonly unusable: number;
}

interface Parts {
  readonly transactions: Transactions;
  readonly meters: MeterBook;
  readonly models: ModelBook;
  readonly states: MeterStates;
  readonly slots: SlotBook;
  readonly readingLog: ReadingLog;
  readonly rejectedLog: RejectedLog;
  readonly placement: Placement;
}

/** What rows of the old file mean by their numbers. */
interface Keys {
  readonly meter: Map<number, number>;
  readonly model: Map<number, number>;
  readonly boot: Map<number, number>;
  /** From a meter to its feeder, which may come later: both as in the old file. */
  readonly feeders: Map<number, number>;
  bootsFrom: number | undefined;
}

/** Only what was taken before the new file began can be in the old one; that much comes in late, or again. */
const MAX_LIVE = 100_000;
/** Moments that no reading can have come at are rotten bytes: the year 2200 and later. */
const MAX_MS = 7_258_118_400_000;
const MOMENTS = ['taken_at_ms', 'received_at_ms', 'slot_start_ms', 'issued_slot_ms'];
/** Tables that say what numbers in the others mean. */
const NUMBERS: readonly string[] = ['model', 'meter', 'boot'];
/** Boots of an old file come before those of this one, in their order: negative numbers, so many for each file. */
const BOOTS_OF_A_FILE = 1_000_000;
/** Given anew by this file. */
const OWN_NUMBERS: readonly string[] = ['seq', 'id'];
/** Rows that are counted when they are stored. */
const COUNTED: Readonly<Record<string, string>> = { slot: 'slots', forecast: 'forecasts', anomaly: 'anomalies' };

export function openRestoring(db: Connection, parts: Parts): Restoring {
  const { transactions, meters, models, states, slots, readingLog, rejectedLog, placement } = parts;
  const keysOf = new Map<string, Keys>();
  const live = new Set<string>();
  const firstBoot = db.prepare<[], number | null>('select min(id) from boot').pluck();
  const pendingUntil = db
    .prepare<[], number | null>(`select max(noticed_at_ms) from damage where state = 'waiting'`)
    .pluck();
  let horizonMs: number | null | undefined;
  const findBoot = db
    .prepare<unknown[], number>(
      'select id from boot where kernel_boot_id is ? and opened_at_ms is ? and uptime_ms is ?',
    )
    .pluck();

  function keysFor(file: string): Keys {
    const known = keysOf.get(file);
    if (known !== undefined) return known;
    const fresh = { meter: new Map(), model: new Map(), boot: new Map(), feeders: new Map(), bootsFrom: undefined };
    keysOf.set(file, fresh);
    return fresh;
  }

  const takers: Readonly<Record<string, (row: Row, keys: Keys) => Outcome>> = {
    model(row, keys) {
      const version = row['version'];
      if (typeof version !== 'string') return 'unusable';
      keys.model.set(Number(row['id']), models.keyOf(version));
      return 'stored';
    },
    meter(row, keys) {
      const meter = meterOf(row);
      if (meter === undefined) return 'unusable';
      const isNew = meters.knownKey(meter.id) === undefined;
      if (isNew || isBare(meters.registered.get(meter.id)?.meter)) appeared.push(meter);
      keys.meter.set(Number(row['id']), meters.keyOf(meter.id));
      if (typeof row['feeder'] === 'number') keys.feeders.set(Number(row['id']), row['feeder']);
      return isNew ? 'stored' : 'known';
    },
    boot(row, keys) {
      const { id, ...others } = row;
      const known = findBoot.get(row['kernel_boot_id'], row['opened_at_ms'], row['uptime_ms']);
      if (known !== undefined) {
        keys.boot.set(Number(id), known);
        return 'known';
      }
      keys.bootsFrom ??= Math.min(0, firstBoot.get() ?? 0) - BOOTS_OF_A_FILE;
      const key = keys.bootsFrom + Number(id);
      const names = columnsOf('boot').filter((name) => name in others);
      insertInto('boot', ['id', ...names]).run(key, ...names.map((name) => others[name] ?? null));
      keys.boot.set(Number(id), key);
      return 'stored';
    },
    // Within its own bounds, which it keeps in memory.
    rejected(row) {
      const { received_at_ms: atMs, reason, detail, topic, payload } = row;
      if (!isMoment(atMs) || !isReason(reason) || !(payload instanceof Uint8Array)) return 'unusable';
      const texts = { detail: String(detail), topic: String(topic) };
      rejectedLog.append([{ receivedAtMs: epochMs(atMs), reason, payload, ...texts }]);
      return 'stored';
    },
  };

  let appeared: Meter[] = [];
  const link = db.prepare('update meter set feeder = ? where id = ? and feeder is null');

  function finishMeters({ meter, feeders }: Keys): void {
    meters.register(appeared);
    appeared = [];
    for (const [old, oldFeeder] of feeders) {
      const key = meter.get(old);
      const feeder = meter.get(oldFeeder);
      if (key !== undefined && feeder !== undefined) link.run(feeder, key);
    }
    // Reads all of them anew.
    meters.register([]);
  }

  const columnCache = new Map<string, readonly string[]>();
  function columnsOf(table: string): readonly string[] {
    const known = columnCache.get(table);
    if (known !== undefined) return known;
    const columns = (db.pragma(`table_info(${table})`) as { readonly name: string }[]).map(({ name }) => name);
    columnCache.set(table, columns);
    return columns;
  }

  const insertCache = new Map<string, ReturnType<Connection['prepare']>>();
  function insertInto(table: string, columns: readonly string[]) {
    const sql = `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})${
      table === 'quality' ? ' on conflict do update set count = count + excluded.count' : ''
    }`;
    const known = insertCache.get(sql) ?? db.prepare(sql);
    insertCache.set(sql, known);
    return known;
  }

  /** A row as it stands, its numbers of meters, models, boots and changes put into those of this file. */
  function take(table: string, row: Row, { keys, analysedUpTo }: Context): Outcome {
    const moved: Record<string, unknown> = { ...row };
    for (const name of MOMENTS) if (name in row && !isMoment(row[name])) return 'unusable';
    for (const name of ['meter', 'model', 'boot'] as const) {
      const old = row[name];
      // Quality counts what belongs to no meter under 0.
      if (typeof old !== 'number' || old === 0) continue;
      const key = keys[name].get(old);
      if (key === undefined) return 'unusable';
      moved[name] = key;
    }
    if (table === 'slot' && slots.holds(Number(moved['meter']), Number(row['slot_start_ms']))) return 'known';
    if (table === 'reading' && live.has(`${moved['meter']} ${row['taken_at_ms']}`)) return 'known';
    if ('change_seq' in row) {
      const change = transactions.nextChange();
      const waits = row['data_seq'] === row['change_seq'] && Number(row['change_seq']) > analysedUpTo;
      moved['change_seq'] = change;
      if ('data_seq' in row) moved['data_seq'] = waits ? change : 0;
    }
    if (table === 'reading') moved['seq'] = readingLog.nextSeq();
    const columns = columnsOf(table).filter(
      (name) => name in row && (table === 'reading' || !OWN_NUMBERS.includes(name)),
    );
    return store(() => insertInto(table, columns).run(columns.map((name) => moved[name] ?? null)));
  }

  function seeSlots(rows: readonly Row[], keys: Keys): void {
    const newest = new Map<number, number>();
    for (const row of rows) {
      const meter = keys.meter.get(Number(row['meter']));
      if (meter === undefined || !isMoment(row['slot_start_ms'])) continue;
      newest.set(meter, Math.max(row['slot_start_ms'], newest.get(meter) ?? 0));
    }
    for (const [meter, slotStartMs] of newest) {
      const known = states.newestOf(meter);
      const seen = { ...known, slotStartMs: Math.max(slotStartMs, known.slotStartMs) };
      states.sawSlot(meter, seen);
      states.save(meter, seen);
    }
  }

  return {
    restore(batch): Restored {
      const { file, table, columns } = batch;
      const keys = keysFor(file);
      const context = { keys, analysedUpTo: batch.analysedUpTo };
      const rows = batch.rows.map((values) => rowOf(columns, values));
      const count: Record<Outcome, number> = { stored: 0, known: 0, unusable: 0 };
      const before = readingLog.lastSeq();
      appeared = [];
      transactions.run(() => {
        const special = takers[table];
        for (const row of rows) count[special === undefined ? take(table, row, context) : special(row, keys)] += 1;
        if (table === 'meter') finishMeters(keys);
        if (table === 'slot') seeSlots(rows, keys);
        const counter = COUNTED[table];
        if (counter !== undefined) transactions.count(counter, count.stored);
        // The small tables of numbers are always gone through again: what they mean is kept in memory only.
        if (!NUMBERS.includes(table)) transactions.advance(`salvaged:${file}:${table}`, batch.done);
      });
      if (table === 'reading') {
        for (const row of readingLog.replay(before + 1, placement.heldFrom ?? readingLog.lastSeq() + 1)) slots.add(row);
        slots.dropUnchanged();
      }
      return count;
    },
    sawLive(rows) {
      if (horizonMs === undefined) horizonMs = pendingUntil.get() ?? null;
      if (horizonMs === null) return;
      for (const { meter, takenAtMs } of rows) {
        if (takenAtMs <= horizonMs && live.size < MAX_LIVE) live.add(`${meter} ${takenAtMs}`);
      }
    },
    end(file) {
      keysOf.delete(file);
      if (keysOf.size > 0) return;
      live.clear();
      horizonMs = undefined;
    },
  };
}

type Row = Readonly<Record<string, unknown>>;
type Outcome = keyof Restored;

interface Context {
  readonly keys: Keys;
  readonly analysedUpTo: number;
}

const rowOf = (columns: readonly string[], values: readonly unknown[]): Row =>
  Object.fromEntries(columns.map((name, index) => [name, values[index]]));

const isMoment = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < MAX_MS;

/** Rotten content breaks a rule of the table; a failing disk is something else, and ends the batch. */
function store(insert: () => unknown): Outcome {
  try {
    insert();
    return 'stored';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE') return 'known';
    if (code?.startsWith('SQLITE_CONSTRAINT') === true) return 'unusable';
    throw error;
  }
}

/** As a meter is that appeared by itself; what the old file knows of it is more. */
const isBare = (meter: Meter | undefined): boolean =>
  meter !== undefined && meter.kind === 'customer' && meter.feeder === undefined && meter.ratedPowerW === undefined;

const isReason = (value: unknown): value is RejectReason =>
  typeof value === 'string' && Object.hasOwn(REJECT_REASONS, value);

const KINDS: readonly string[] = ['customer', 'feeder'] satisfies readonly MeterKind[];

function meterOf(row: Row): Meter | undefined {
  const { name, kind } = row;
  const id: MeterId | undefined = typeof name === 'string' ? parseMeterId(name) : undefined;
  if (id === undefined || typeof kind !== 'string' || !KINDS.includes(kind)) return undefined;
  const rated = row['rated_power_dw'];
  const ratedPowerW = typeof rated === 'number' ? SCALE.powerDw.unpack(rated) : undefined;
  return { id, kind: kind as MeterKind, ...(ratedPowerW !== undefined && { ratedPowerW }) };
}
