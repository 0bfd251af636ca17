import { openReader } from '../buffer/reader.js';
import type { MeterId } from '../domain/brand.js';
import { flagsOf } from '../domain/flags.js';
import type { RejectReason } from '../domain/rejection.js';
import { readingsScreen, rejectedScreen } from '../ops/listing.js';
import { bufferPath } from '../settings.js';
import { type Given, print, settingsOf } from './given.js';

export function readings(given: Given & { limit: number; meter?: MeterId }): void {
  const rows = read(given, (reader) => reader.readings(only(given, 'limit', 'meter')));
  const named = rows.map((row) => ({ ...row, flags: flagsOf(row.flags) }));
  print(given, named, () => readingsScreen(rows));
}

export function rejected(given: Given & { limit: number; reason?: RejectReason }): void {
  const found = read(given, (reader) => ({
    counts: reader.rejectedCounts(),
    rows: reader.rejected(only(given, 'limit', 'reason')).map((row) => ({
      ...row,
      payload: Buffer.from(row.payload).toString('utf8'),
    })),
  }));
  print(given, found, () => rejectedScreen(found));
}

function read<Result>(given: Given, query: (reader: ReturnType<typeof openReader>) => Result): Result {
  const reader = openReader(bufferPath(settingsOf(given)));
  try {
    return query(reader);
  } finally {
    reader.close();
  }
}

function only<Options extends object, Key extends keyof Options>(options: Options, ...keys: Key[]): Pick<Options, Key> {
  return Object.fromEntries(keys.filter((key) => key in options).map((key) => [key, options[key]])) as Pick<
    Options,
    Key
  >;
}
