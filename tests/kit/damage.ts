import { closeSync, openSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';

export interface Page {
  readonly number: number;
  readonly type: 'internal' | 'leaf' | 'overflow';
}

const PAGE_BYTES = 4_096;

/** The pages of one table or index, by SQLite's own account. */
export function pagesOf(path: string, name: string): readonly Page[] {
  const db = new Database(path, { readonly: true });
  try {
    return db
      .prepare<[string], Page>('select pageno as number, pagetype as type from dbstat where name = ? order by pageno')
      .all(name);
  } finally {
    db.close();
  }
}

/** As a failing card does it: a page reads as something else. */
export function destroyPage(path: string, number: number, filler: (offset: number) => number = () => 0xa5): void {
  const handle = openSync(path, 'r+');
  writeSync(
    handle,
    Buffer.from(Array.from({ length: PAGE_BYTES }, (_, offset) => filler(offset))),
    0,
    PAGE_BYTES,
    (number - 1) * PAGE_BYTES,
  );
  closeSync(handle);
}
