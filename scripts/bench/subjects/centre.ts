import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { silentLogger } from '../../../agent/domain/log.js';
import { openEmbeddedPostgres } from '../../embedded-postgres.js';
import { PROGRAM } from './gateway.js';

export interface BenchCentre {
  /** A new gateway: what its configuration says of the centre. */
  enrol(name: string): Promise<{ readonly models: object; readonly sync: object }>;
  close(): Promise<void>;
}

const cloud = async (...given: readonly string[]) =>
  await promisify(execFile)(process.execPath, [PROGRAM, 'cloud', ...given]);

/** A real PostgreSQL with everything that a centre needs in it. */
export async function openCentre(dir: string): Promise<BenchCentre> {
  mkdirSync(dir, { recursive: true });
  const server = await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: silentLogger, throwaway: true });
  const config = join(dir, 'centre.yaml');
  const { port, superuser: user, passwordFile } = server;
  const centre = { port, user, password_file: passwordFile, tls: { mode: 'off' }, keys_dir: join(dir, 'keys') };
  writeFileSync(config, stringify({ version: 1, centre }), { mode: 0o600 });
  await cloud('init', '--config', config);
  return {
    async enrol(name) {
      const out = join(dir, name);
      await cloud('add-gateway', name, '--out', out, '--config', config);
      const { sync, models } = parse(readFileSync(join(out, `${name}.yaml`), 'utf8')) as {
        readonly sync: { readonly password_file: string };
        readonly models: object;
      };
      return { models, sync: { ...sync, password_file: join(out, sync.password_file) } };
    },
    close: async () => await server.stop(),
  };
}
