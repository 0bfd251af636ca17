import type { BandState, BundleState } from '../domain/results.js';
import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

/** Versions of model bundles: small numbers in the rows that they made, and what became of each. */
export interface ModelBook {
  /** Only inside a transaction. */
  keyOf(version: string): number;
  record(bundle: BundleState, atMs: number): void;
  /** Only inside a transaction. */
  keepBands(bands: BandState): void;
}

export function openModelBook(db: Connection, transactions: Transactions): ModelBook {
  const select = db.prepare<[string], number>('select id from model where version = ?').pluck();
  const insert = db.prepare('insert into model (version) values (?)');
  const update = db.prepare(
    'update model set state = @state, precision = @precision, code = @code, detail = @detail, at_ms = @atMs where id = @key',
  );
  const updateBands = db.prepare('update model set miss_rates = ? where id = ?');
  const keys = new Map<string, number>();
  transactions.onRollback(() => keys.clear());

  function keyOf(version: string): number {
    const key = keys.get(version) ?? select.get(version) ?? Number(insert.run(version).lastInsertRowid);
    keys.set(version, key);
    return key;
  }

  return {
    keyOf,
    record(bundle, atMs) {
      const nothing = { precision: null, code: null, detail: null };
      update.run({ ...nothing, ...bundle, key: keyOf(bundle.version), atMs: Math.floor(atMs) });
    },
    keepBands({ modelVersion, missRates }) {
      updateBands.run(Buffer.from(missRates.buffer, missRates.byteOffset, missRates.byteLength), keyOf(modelVersion));
    },
  };
}
