import type { Connection } from '../buffer-file.js';
import { damageOf } from '../damage.js';

export type Key = readonly unknown[];
type Row = readonly unknown[];

export type Found = { readonly rows: readonly Row[] } | { readonly lost: Gap };

/** Between the last row that could be read and the next; null at either end of the table. */
export interface Gap {
  readonly after: Row | null;
  readonly before: Row | null;
}

export interface ScanOptions {
  readonly table: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /** Rows with a first key of up to here are left out. */
  readonly after?: number | undefined;
}

/** Rows in one batch: a few milliseconds of the thread that stores them beside its other work. */
const PAGE_ROWS = 300;
/** The furthest step on within the later parts of a key: numbers of meters are small. */
const MAX_INNER_STEP = 2 ** 20;
const MAX_STEP = 2 ** 52;

type Probe = { readonly outcome: 'row'; readonly row: Row } | { readonly outcome: 'none' | 'error' };

/**
 * All rows of a table in the order of its key, around the pages that cannot be read: from the last row before a bad page
 * on it steps forward, further each time, until something is readable again, and back to where that begins.
 */
export function* scanTable(db: Connection, { table, key, columns, after }: ScanOptions): Iterable<Found> {
  const list = columns.join(', ');
  const order = key.join(', ');
  const marks = key.map(() => '?').join(', ');
  const select = `select ${list} from ${table} not indexed`;
  const first = db.prepare<unknown[], Row>(`${select} where ${key[0]} > ? order by ${order} limit ${PAGE_ROWS}`).raw();
  const next = db
    .prepare<unknown[], Row>(`${select} where (${order}) > (${marks}) order by ${order} limit ${PAGE_ROWS}`)
    .raw();
  const keyIndexes = key.map((name) => columns.indexOf(name));
  const keyOf = (row: Row): Key => keyIndexes.map((index) => row[index]);

  function probe(level: number, prefix: Key, value: number): Probe {
    const equal = key.slice(0, level).map((name) => `${name} = ? and `);
    const from = db.prepare<unknown[], Row>(
      `${select} where ${equal.join('')}${key[level]} >= ? order by ${order} limit 1`,
    );
    const { failed, value: row } = attempt(() => from.raw().get(...prefix, value));
    if (failed) return { outcome: 'error' };
    return row === undefined ? { outcome: 'none' } : { outcome: 'row', row };
  }

  /** The first readable row beyond `last` in its key's part `level`, the parts before it being the same. */
  function stepOver(last: Key | null, level: number): Probe {
    const prefix = last?.slice(0, level) ?? [];
    const base = Number(last?.[level] ?? after ?? -1);
    const furthest = level === 0 ? MAX_STEP : MAX_INNER_STEP;
    let bad = base;
    for (let step = 1; step <= furthest; step *= 2) {
      const found = probe(level, prefix, base + step);
      if (found.outcome === 'error') bad = base + step;
      else return backToFirst(level, prefix, { bad, good: base + step, found });
    }
    return { outcome: 'error' };
  }

  function backToFirst(
    level: number,
    prefix: Key,
    { bad, good, found }: { readonly bad: number; readonly good: number; readonly found: Probe },
  ): Probe {
    let [low, high, best] = [bad, good, found];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const tried = probe(level, prefix, middle);
      if (tried.outcome === 'error') low = middle;
      else [high, best] = [middle, tried];
    }
    return best;
  }

  function findReadable(last: Key | null): Row | undefined {
    const deepest = last === null ? 0 : last.findLastIndex((part) => typeof part === 'number');
    for (let level = deepest; level >= 0; level -= 1) {
      const found = stepOver(last, level);
      if (found.outcome === 'row' && (last === null || isBeyond(keyOf(found.row), last))) return found.row;
    }
    return undefined;
  }

  let last: Row | null = null;
  for (;;) {
    const rows: Row[] = [];
    const before: Row | null = last;
    const { failed } = attempt(() => {
      const page = before === null ? first.iterate(after ?? Number.MIN_SAFE_INTEGER) : next.iterate(...keyOf(before));
      for (const row of page) {
        const known: Row | undefined = rows.at(-1) ?? before ?? undefined;
        // Pages that point back at each other would be read for ever.
        if (known !== undefined && !isBeyond(keyOf(row), keyOf(known))) throw new OutOfOrder();
        rows.push(row);
      }
    });
    if (rows.length > 0) yield { rows };
    last = rows.at(-1) ?? before;
    if (!failed) {
      if (rows.length < PAGE_ROWS) return;
      continue;
    }
    const resumed = findReadable(last === null ? null : keyOf(last));
    yield { lost: { after: last, before: resumed ?? null } };
    if (resumed === undefined) return;
    yield { rows: [resumed] };
    last = resumed;
  }
}

class OutOfOrder extends Error {}

/** Only what damage does to reading is a gap; anything else is a fault of ours. */
function attempt<T>(read: () => T): { readonly failed: boolean; readonly value?: T } {
  try {
    return { failed: false, value: read() };
  } catch (error) {
    if (damageOf(error) === undefined && !(error instanceof OutOfOrder)) throw error;
    return { failed: true };
  }
}

function isBeyond(key: Key, other: Key): boolean {
  for (const [index, part] of key.entries()) {
    const than = other[index];
    if (part === than) continue;
    if (typeof part === 'number' && typeof than === 'number') return part > than;
    return String(part) > String(than);
  }
  return false;
}
