import { openReader } from '../../agent/buffer/reader.js';

/** The values of each meter as the buffer holds them, in its order; a meter of the kit sends values of 0.1 W. */
export function storedValues(path: string): ReadonlyMap<string, readonly number[]> {
  const values = new Map<string, number[]>();
  const reader = openReader(path);
  try {
    for (let after = 0; ; ) {
      const rows = reader.stream('reading', after, 10_000);
      for (const { meter, powerDw } of rows) {
        const known = values.get(meter);
        if (known === undefined) values.set(meter, [powerDw ?? Number.NaN]);
        else known.push(powerDw ?? Number.NaN);
      }
      const last = rows.at(-1);
      if (last === undefined) return values;
      after = last.seq;
    }
  } finally {
    reader.close();
  }
}

/** What is acknowledged and not stored, and what is stored more than once. */
export function compare(acknowledged: readonly number[], stored: readonly number[] = []) {
  const unique = new Set(stored);
  return {
    lost: acknowledged.filter((value) => !unique.has(value)),
    twice: stored.length - unique.size,
  };
}
