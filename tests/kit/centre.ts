import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { silentLogger } from '../../agent/domain/log.js';
import { type Connection, connect } from '../../cloud-sync/timescale/connection.js';
import { openEmbeddedPostgres } from '../../scripts/embedded-postgres.js';
import { succeeds } from './command.js';

interface Enrolled {
  readonly sync: { readonly password_file: string };
  readonly models: object;
}

/** A centre on a real PostgreSQL, set up by its own commands. */
export interface Centre {
  /** Of a superuser. */
  readonly connection: Connection;
  /** Makes a gateway known; gives the sections that its configuration needs. */
  enrol(name: string): Promise<Enrolled>;
  close(): Promise<void>;
}

export async function openCentre(): Promise<Centre> {
  const dir = await mkdtemp(join(tmpdir(), 'wattwarden-centre-'));
  const server = await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: silentLogger, throwaway: true });
  const config = join(dir, 'centre.yaml');
  const { host, port, superuser: user, password } = server;
  const address = { port, user, password_file: server.passwordFile, tls: { mode: 'off' } };
  await writeFile(config, stringify({ version: 1, centre: { ...address, keys_dir: join(dir, 'keys') } }));
  await succeeds('cloud', 'init', '--config', config);
  const connection = await connect({ host, port, database: 'wattwarden', user, password, tls: { mode: 'off' } });
  return {
    connection,
    async enrol(name) {
      await succeeds('cloud', 'add-gateway', name, '--out', dir, '--config', config);
      const { sync, models } = parse(await readFile(join(dir, `${name}.yaml`), 'utf8')) as Enrolled;
      // The gateway's own configuration lies elsewhere, and names of files count from there.
      return { sync: { ...sync, password_file: join(dir, sync.password_file) }, models };
    },
    async close() {
      await connection.close();
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
