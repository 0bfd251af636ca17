import type { MeterId } from '../../domain/brand.js';
import type { Connection } from '../buffer-file.js';

/** The number of a meter inside the file; undefined when it has never been seen. */
export type MeterKeys = (meter: MeterId) => number | undefined;

export function openMeterKeys(db: Connection): MeterKeys {
  const select = db.prepare<[string], number>('select id from meter where name = ?').pluck();
  return (meter) => select.get(meter);
}
