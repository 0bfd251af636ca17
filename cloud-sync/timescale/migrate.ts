import { createHash } from 'node:crypto';
import { WattwardenError } from '../../agent/domain/errors.js';
import { API_SCHEMA } from '../contract/version.js';
import { apiFunctions } from './api-functions.js';
import type { Connection } from './connection.js';
import { hypertables, useTimescale } from './hypertables.js';
import { TABLES } from './migrations/0001-tables.js';
import { VIEWS } from './migrations/0002-views.js';
import { SLOT_WIDTH } from './migrations/0003-slot-width.js';
import { CIRCUMSTANCES } from './migrations/0004-circumstances.js';
import { closeToPublic, GATEWAY_GROUP, OWNER_ROLE, ROLES } from './roles.js';

export interface MigrationReport {
  /** Names of what was run now; empty when the database was up to date. */
  readonly applied: readonly string[];
  /** Version of the extension; undefined on plain PostgreSQL. */
  readonly timescale: string | undefined;
  readonly warnings: readonly string[];
}

/** Each runs once and never changes afterwards. */
const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  { name: '0001-tables', sql: TABLES },
  { name: '0002-views', sql: VIEWS },
  { name: '0003-slot-width', sql: SLOT_WIDTH },
  { name: '0004-circumstances', sql: CIRCUMSTANCES },
];

/** The oldest that TimescaleDB still supports, and the oldest that is tried. */
const MIN_SERVER_VERSION = 150_000;
/** Any number: it tells our lock from other programs' locks. */
const LOCK = 7_203_114;

/** Brings the database to this program's version: all of it or nothing, and one program at a time. */
export async function migrate(connection: Connection): Promise<MigrationReport> {
  await checkServer(connection);
  return connection.transaction(async () => {
    await connection.query(`set local lock_timeout = '60s'; set local client_min_messages = warning`);
    await connection.query(`select pg_advisory_xact_lock(${LOCK})`);
    await connection.query(ROLES);
    const timescale = await useTimescale(connection);
    await connection.query(SCHEMAS);
    await connection.query(`set local role ${OWNER_ROLE}`);
    const applied = await runPending(connection);
    if (timescale !== undefined) await connection.query(hypertables(timescale));
    await connection.query('reset role');
    const warnings = await closeToPublic(connection);
    await connection.query(`grant execute on function pg_catalog.pg_advisory_xact_lock(bigint) to ${OWNER_ROLE}`);
    return { applied, timescale: timescale?.version, warnings };
  });
}

async function checkServer(connection: Connection): Promise<void> {
  const [server] = await connection.query(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
  );
  if (Number(server?.['number']) >= MIN_SERVER_VERSION) return;
  throw new WattwardenError('centre.incompatible', `PostgreSQL ${String(server?.['version'])}; 15 or later is needed`);
}

const SCHEMAS = ['wattwarden_data', 'wattwarden', API_SCHEMA]
  .map((schema) => `create schema if not exists ${schema} authorization ${OWNER_ROLE};`)
  .concat(`
create table if not exists wattwarden_data.migration (
  name text primary key,
  hash text not null,
  applied_at timestamptz not null default now()
);
alter table wattwarden_data.migration owner to ${OWNER_ROLE};`)
  .join('\n');

async function runPending(connection: Connection): Promise<string[]> {
  const rows = await connection.query('select name, hash from wattwarden_data.migration');
  const known = new Map(rows.map(({ name, hash }) => [String(name), String(hash)]));
  const applied: string[] = [];
  for (const { name, sql } of MIGRATIONS) {
    if (known.has(name)) continue;
    await connection.query(sql);
    await record(connection, name, sql);
    applied.push(name);
  }
  const api = apiSql();
  if (known.get('api') !== hashOf(api)) {
    await connection.query(api);
    await record(connection, 'api', api);
    applied.push('api');
  }
  return applied;
}

/** Gateways hold their rights through the group alone, so nothing is lost when the schema is made anew. */
const apiSql = (): string => `
do $$ declare old record; begin
  for old in select oid::pg_catalog.regprocedure as signature from pg_catalog.pg_proc
              where pronamespace = '${API_SCHEMA}'::pg_catalog.regnamespace
  loop execute pg_catalog.format('drop function %s', old.signature); end loop;
end $$;
${apiFunctions()}
revoke all on all functions in schema wattwarden_data, ${API_SCHEMA} from public;
grant usage on schema ${API_SCHEMA} to ${GATEWAY_GROUP};
grant execute on all functions in schema ${API_SCHEMA} to ${GATEWAY_GROUP};`;

const hashOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');

async function record(connection: Connection, name: string, sql: string): Promise<void> {
  await connection.query(
    `insert into wattwarden_data.migration (name, hash) values ($1, $2)
       on conflict (name) do update set hash = excluded.hash, applied_at = now()`,
    [name, hashOf(sql)],
  );
}
