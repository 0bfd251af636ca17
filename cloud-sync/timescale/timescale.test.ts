import { expect, test } from 'vitest';
import { type CentreAddress, connect } from './connection.js';
import { migrate } from './migrate.js';

const url = process.env['WATTWARDEN_TIMESCALE_URL'];

test.skipIf(url === undefined)(
  'the same migrations make hypertables (needs TimescaleDB at WATTWARDEN_TIMESCALE_URL)',
  async () => {
    const maintenance = await connect(addressOf(url ?? ''));
    const database = `wattwarden_test_${process.pid}_${Date.now()}`;
    await maintenance.query(`create database ${database}`);
    const connection = await connect({ ...addressOf(url ?? ''), database });
    try {
      const { timescale } = await migrate(connection);
      expect(timescale).toBeDefined();
      expect((await migrate(connection)).applied).toEqual([]);
      const rows = await connection.query(
        `select hypertable_name as name from timescaledb_information.hypertables
          where hypertable_schema = 'wattwarden_data' order by 1`,
      );
      expect(rows.map(({ name }) => name)).toEqual(['anomaly', 'forecast', 'reading', 'slot']);
    } finally {
      await connection.close();
      await maintenance.query(`drop database ${database} with (force)`);
      await maintenance.close();
    }
  },
);

function addressOf(text: string): CentreAddress {
  const { hostname, port, pathname, username, password } = new URL(text);
  return {
    host: hostname,
    port: Number(port || 5432),
    database: pathname.slice(1) || 'postgres',
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    tls: { mode: 'off' },
  };
}
