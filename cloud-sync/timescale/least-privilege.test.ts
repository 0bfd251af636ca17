import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_FUNCTIONS, API_SCHEMA } from '../contract/version.js';
import { openTestCentre, type TestCentre, type TestDatabase } from './centre.fixture.js';
import { type Connection, connect, quoteIdentifier } from './connection.js';

let centre: TestCentre;
let database: TestDatabase;
let gateway: Connection;
let role: string;

beforeAll(async () => {
  centre = await openTestCentre();
  database = await centre.openDatabase();
  const { address } = await database.addGateway();
  role = address.user;
  gateway = await connect(address);
});
afterAll(async () => {
  await gateway.close();
  await centre.stop();
});

const refused = (sql: string) =>
  expect(gateway.query(sql), sql).rejects.toMatchObject({ code: 'centre.refused', cause: { code: '42501' } });

test('a gateway can neither read nor write any table, view or sequence of ours', async () => {
  const relations = await database.connection.query(`
    select n.nspname as schema, c.relname as name, c.relkind as kind from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`);
  expect(relations.length).toBeGreaterThan(15);
  for (const { schema, name, kind } of relations) {
    const relation = `${quoteIdentifier(String(schema))}.${quoteIdentifier(String(name))}`;
    await refused(`select * from ${relation}`);
    if (kind === 'S') continue;
    await refused(`insert into ${relation} default values`);
    await refused(`delete from ${relation}`);
    if (kind === 'r') await refused(`truncate ${relation}`);
    if (kind === 'r') await refused(`copy ${relation} to stdout`);
  }
});

test('a gateway can write no table of PostgreSQL itself', async () => {
  const writable = await database.connection.query(
    `select c.oid::regclass::text as name from pg_class c
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege($1, c.oid, 'insert, update, delete, truncate')`,
    [role],
  );
  // A view over a function that refuses by itself: everybody may ask to change a setting of their own session.
  expect(writable.map(({ name }) => name)).toEqual(['pg_settings']);
});

test('outside PostgreSQL’s own it may execute the functions of the API and no other', async () => {
  const rows = await database.connection.query(
    `select n.nspname || '.' || p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname not in ('pg_catalog', 'information_schema')
        and has_schema_privilege($1, n.oid, 'usage') and has_function_privilege($1, p.oid, 'execute') order by 1`,
    [role],
  );
  expect(rows.map(({ name }) => name)).toEqual(API_FUNCTIONS.map((name) => `${API_SCHEMA}.${name}`).toSorted());
});

test.each([
  'create temp table mine (a integer)',
  'create table public.mine (a integer)',
  `create table ${API_SCHEMA}.mine (a integer)`,
  'create schema mine',
  'select lo_create(0)',
  `select lo_from_bytea(0, 'x')`,
  `select lo_put(1, 0, 'x')`,
  'select pg_advisory_lock(1)',
  'select pg_try_advisory_lock(1, 2)',
  'select pg_advisory_xact_lock_shared(1)',
  `select pg_notify('a', 'b')`,
  `select pg_logical_emit_message(false, 'a', 'b')`,
  `do $$ begin perform 1; end $$`,
  `select pg_read_file('PG_VERSION')`,
  `copy (select 1) to program 'true'`,
  'set role wattwarden_owner',
  'set role wattwarden_gateway',
  'set session authorization postgres',
  `alter role wattwarden_gateway createrole`,
  `select wattwarden_data.current_gateway()`,
])('it may not: %s', async (sql) => {
  await refused(sql);
});

test('it has no right to other databases of the server', async () => {
  const { address } = await database.addGateway();
  await expect(connect({ ...address, database: 'postgres' })).rejects.toMatchObject({ code: 'centre.refused' });
  const other = await centre.openDatabase();
  await expect(connect({ ...address, database: other.address.database })).rejects.toMatchObject({
    code: 'centre.refused',
  });
});

test('its sessions are few and bounded in time', async () => {
  const { address } = await database.addGateway();
  const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => connect(address)));
  await expect(connect(address)).rejects.toMatchObject({ code: 'centre.busy', cause: { code: '53300' } });
  const [limits] =
    (await sessions[0]?.query(
      `select current_setting('statement_timeout') as statement, current_setting('idle_in_transaction_session_timeout') as idle`,
    )) ?? [];
  expect(limits).toEqual({ statement: '1min', idle: '30s' });
  await Promise.all(sessions.map((session) => session.close()));
});
