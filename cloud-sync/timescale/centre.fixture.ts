import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../agent/domain/log.js';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../scripts/embedded-postgres.js';
import { type CentreAddress, type Connection, connect } from './connection.js';
import { registerGateway } from './gateway-role.js';
import { migrate } from './migrate.js';
import { closeToPublic } from './roles.js';

/** One server for a test file, one database for a test. */
export interface TestCentre {
  readonly server: EmbeddedPostgres;
  /** A migrated database of its own. */
  openDatabase(): Promise<TestDatabase>;
  /** A database in which nothing was done yet. */
  openEmptyDatabase(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly address: CentreAddress;
  /** Of a superuser; closed by the test centre. */
  readonly connection: Connection;
  /** Roles belong to the server, so each gateway of a test file has a name of its own. */
  addGateway(): Promise<{ readonly name: string; readonly address: CentreAddress }>;
}

const TEMPLATE = 'migrated_template';

/** `pristine` leaves the server without template and without our roles. */
export async function openTestCentre({ pristine = false } = {}): Promise<TestCentre> {
  const parent = await mkdtemp(join(tmpdir(), 'wattwarden-centre-'));
  await chmod(parent, 0o711); // started by root, the server runs as another user
  const server = await openEmbeddedPostgres({ dataDir: join(parent, 'postgres'), log: silentLogger, throwaway: true });
  const open: Connection[] = [];
  let databases = 0;
  let gateways = 0;

  const addressOf = (database: string): CentreAddress => ({
    host: server.host,
    port: server.port,
    database,
    user: server.superuser,
    password: server.password,
    tls: { mode: 'off' },
  });

  const maintenance = await connect(addressOf('postgres'));
  open.push(maintenance);
  if (!pristine) {
    await maintenance.query(`create database ${TEMPLATE}`);
    const template = await connect(addressOf(TEMPLATE));
    await migrate(template);
    await template.close();
  }

  async function openClone(from: string): Promise<TestDatabase> {
    databases += 1;
    const address = addressOf(`test_${databases}`);
    // A copy of files is several times faster than one through the log.
    await maintenance.query(`create database ${address.database} template ${from} strategy file_copy`);
    const connection = await connect(address);
    open.push(connection);
    return {
      address,
      connection,
      async addGateway() {
        gateways += 1;
        const name = `meter-house-${gateways}`;
        const password = `password-${gateways}`;
        const user = await connection.transaction(() => registerGateway(connection, { name, password, renew: false }));
        return { name, address: { ...address, user, password } };
      },
    };
  }

  return {
    server,
    async openDatabase() {
      const database = await openClone(TEMPLATE);
      await closeToPublic(database.connection); // rights on a database are not cloned with it
      return database;
    },
    openEmptyDatabase: () => openClone('template0'),
    async stop() {
      for (const connection of open) await connection.close();
      await server.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}
