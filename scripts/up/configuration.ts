import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { EmbeddedPostgres } from '../embedded-postgres.js';

export const GATEWAY = 'demo';

/** The centre's side: who administers the database, and where the signing key lies. */
export async function writeCentreConfig(dir: string, server: EmbeddedPostgres): Promise<string> {
  const file = join(dir, 'centre.yaml');
  const centre = {
    port: server.port,
    user: server.superuser,
    password_file: server.passwordFile,
    tls: { mode: 'off' },
    keys_dir: join(dir, 'keys'),
  };
  await writeFile(file, stringify({ version: 1, centre }), { mode: 0o600 });
  return file;
}

interface Demo {
  readonly server: EmbeddedPostgres;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly meters: number;
  readonly feeders: number;
}

/** The gateway's side: what `cloud add-gateway` has written, and what a field engineer would add to it. */
export async function writeGatewayConfig(
  dir: string,
  { server, mqttPort, httpPort, meters, feeders }: Demo,
): Promise<void> {
  const enrolment = parse(await readFile(join(dir, 'enrolment', `${GATEWAY}.yaml`), 'utf8')) as {
    sync: { password_file: string };
    models: object;
  };
  const { sync, models } = enrolment;
  const feederIds = Array.from({ length: feeders }, (_, index) => `feeder-${index + 1}`);
  const customers = Array.from({ length: meters }, (_, index) => ({
    id: `meter-${String(index + 1).padStart(3, '0')}`,
    feeder: feederIds[index % feeders],
  }));
  const settings = {
    version: 1,
    gateway: { name: GATEWAY, data_dir: join(dir, 'gateway') },
    mqtt: { port: mqttPort },
    http: { port: httpPort },
    log: { level: 'warn' },
    // The clock of the machine that all of this runs on.
    clock: { trust: 'plausible' },
    meters: { silent_after_s: 60, known: [...feederIds.map((id) => ({ id, kind: 'feeder' })), ...customers] },
    // A minute of grace and five of patience are for the field; here somebody is watching.
    buffer: { slot_grace_s: 5 },
    models: { ...models, pull_interval_s: 5 },
    sync: {
      ...sync,
      port: server.port,
      tls: { mode: 'off' },
      password_file: join(dir, 'enrolment', sync.password_file),
      interval_s: 1,
    },
  };
  await writeFile(join(dir, 'gateway.yaml'), stringify(settings), { mode: 0o600 });
}
