import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCentre, type TestCentre } from './centre.fixture.js';
import { connect } from './connection.js';
import { registerGateway } from './gateway-role.js';
import { migrate } from './migrate.js';

let centre: TestCentre;
beforeAll(async () => {
  centre = await openTestCentre();
});
afterAll(() => centre.stop());

test('a second migration finds nothing to do', async () => {
  const { connection } = await centre.openEmptyDatabase();
  const first = await migrate(connection);
  expect(first.applied).toEqual(['0001-tables', '0002-views', '0003-slot-width', '0004-circumstances', 'api']);
  expect(first.timescale).toBeUndefined();
  const second = await migrate(connection);
  expect(second.applied).toEqual([]);
});

test('programs that migrate at once wait for each other and agree', async () => {
  const { address, connection } = await centre.openEmptyDatabase();
  const connections = await Promise.all([1, 2, 3, 4].map(() => connect(address)));
  const reports = await Promise.all(connections.map((one) => migrate(one)));
  await Promise.all(connections.map((one) => one.close()));
  expect(reports.map(({ applied }) => applied.length).toSorted()).toEqual([0, 0, 0, 5]);
  const [count] = await connection.query('select count(*) as n from wattwarden_data.migration');
  expect(count?.['n']).toBe(5);
});

test('an API made from another contract is made anew, and gateways keep their right to it', async () => {
  const { connection, addGateway } = await centre.openDatabase();
  const gateway = await addGateway();
  await connection.query(`
    create function wattwarden_api.left_over() returns integer language sql as 'select 1';
    drop function wattwarden_api.hello();
    update wattwarden_data.migration set hash = 'older' where name = 'api'`);
  const { applied } = await migrate(connection);
  expect(applied).toEqual(['api']);
  const theirs = await connect(gateway.address);
  expect(await theirs.query('select gateway from wattwarden_api.hello()')).toEqual([{ gateway: gateway.name }]);
  await theirs.close();
  expect(await connection.query(`select to_regprocedure('wattwarden_api.left_over()') as left_over`)).toEqual([
    { left_over: null },
  ]);
});

test('the owner of a managed database, who is no superuser, can migrate and register; what is left open is named', async () => {
  const server = await openTestCentre({ pristine: true });
  try {
    const { address, connection } = await server.openEmptyDatabase();
    await connection.query(`create role managed login createrole password 'managed'`);
    await connection.query(`alter database ${address.database} owner to managed`);
    const managed = await connect({ ...address, user: 'managed', password: 'managed' });
    const report = await migrate(managed);
    const user = await managed.transaction(() =>
      registerGateway(managed, { name: 'rented', password: 'of-the-gateway', renew: false }),
    );
    expect((await migrate(managed)).applied).toEqual([]);
    await managed.close();
    expect(report.applied).toHaveLength(5);
    expect(report.warnings.some((warning) => warning.includes('superuser'))).toBe(true);
    const gateway = await connect({ ...address, user, password: 'of-the-gateway' });
    expect(await gateway.query('select gateway from wattwarden_api.hello()')).toEqual([{ gateway: 'rented' }]);
    await gateway.close();
  } finally {
    await server.stop();
  }
});

test('tables and functions belong to a role that cannot log in', async () => {
  const { connection } = await centre.openDatabase();
  const owners = await connection.query(`
    select distinct r.rolname, r.rolcanlogin, r.rolsuper from (
      select relowner as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname like 'wattwarden%'
      union all
      select proowner from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname like 'wattwarden%'
    ) owned join pg_roles r on r.oid = owned.owner`);
  expect(owners).toEqual([{ rolname: 'wattwarden_owner', rolcanlogin: false, rolsuper: false }]);
});
