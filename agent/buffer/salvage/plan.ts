import Database from 'better-sqlite3';
import { MIGRATIONS } from '../schema.js';

export interface TablePlan {
  readonly name: string;
  /** Its primary key, in order. */
  readonly key: readonly string[];
}

/** What a new file has of its own, or works out again from what is salvaged. */
const LEFT_OUT = ['setting', 'cursor', 'counter', 'meter_state', 'settled', 'sqlite_sequence'];
/** These say what the numbers in the others mean; the readings, which are the most, come last, when their slots are known. */
const FIRST = ['model', 'meter', 'boot'];
const LAST = 'reading';

/** From the schema itself, so that a table that is added is salvaged too. */
export function salvagePlan(): readonly TablePlan[] {
  const db = new Database(':memory:');
  try {
    for (const sql of MIGRATIONS) db.exec(sql);
    const names = db.prepare<[], string>(`select name from sqlite_schema where type = 'table'`).pluck().all();
    const others = names.filter((name) => ![...LEFT_OUT, ...FIRST, LAST].includes(name));
    return [...FIRST, ...others, LAST].map((name) => ({ name, key: keyOf(db, name) }));
  } finally {
    db.close();
  }
}

function keyOf(db: Database.Database, table: string): readonly string[] {
  const columns = db.pragma(`table_info(${table})`) as { readonly name: string; readonly pk: number }[];
  const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  return key.map(({ name }) => name);
}
