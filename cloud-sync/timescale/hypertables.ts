import { WattwardenError } from '../../agent/domain/errors.js';
import type { Connection } from './connection.js';
import { OWNER_ROLE } from './roles.js';

export interface Timescale {
  readonly version: string;
  /** Where the extension's functions stand, quoted. */
  readonly schema: string;
}

/** Older ones lost rows when a conflict hit a compressed chunk. */
const MIN_VERSION = [2, 18, 1] as const;

/** Creates the extension where the server has it loaded; undefined on plain PostgreSQL. */
export async function useTimescale(connection: Connection): Promise<Timescale | undefined> {
  const [installed] = await connection.query(INSTALLED);
  if (installed === undefined) {
    const [ready] = await connection.query(READY);
    if (ready === undefined) return undefined;
    await connection.query('create extension if not exists timescaledb');
  }
  const [extension] = await connection.query(INSTALLED);
  const version = String(extension?.['version']);
  if (isOlder(version)) {
    throw new WattwardenError('centre.incompatible', `TimescaleDB ${version}; ${MIN_VERSION.join('.')} is needed`);
  }
  const schema = String(extension?.['schema']);
  // `public`, mostly, which nobody may use any more once it is closed.
  await connection.query(`grant usage on schema ${schema} to ${OWNER_ROLE}`);
  return { version, schema };
}

const INSTALLED = `
select extversion as version, quote_ident(n.nspname) as schema
  from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
 where extname = 'timescaledb'`;

/** Available is not enough: the library must be loaded at the server's start. */
const READY = `
select 1 from pg_catalog.pg_available_extensions a, pg_catalog.pg_settings s
 where a.name = 'timescaledb' and s.name = 'shared_preload_libraries' and s.setting like '%timescaledb%'`;

function isOlder(version: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of MIN_VERSION.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

/** A day of 1,000 meters at 10 s is 8.6 million readings; a week of their slots is 2 million. */
const CHUNKS = [
  { table: 'reading', time: 'taken_at', interval: '1 day' },
  { table: 'slot', time: 'slot_start', interval: '7 days' },
  { table: 'forecast', time: 'issued_slot', interval: '7 days' },
  { table: 'anomaly', time: 'slot_start', interval: '28 days' },
];

/** Rows that were written before the extension came are moved. */
export const hypertables = ({ schema }: Timescale): string =>
  CHUNKS.map(
    ({ table, time, interval }) => `
select ${schema}.create_hypertable('wattwarden_data.${table}', ${schema}.by_range('${time}', interval '${interval}'),
  if_not_exists => true, migrate_data => true, create_default_indexes => false);`,
  ).join('\n');
