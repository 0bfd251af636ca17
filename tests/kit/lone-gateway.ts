import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type RunningGateway, startGateway } from './command.js';

export interface LoneGateway extends RunningGateway {
  readonly config: string;
  readonly dir: string;
  /** Stops it and removes what it kept. */
  close(): Promise<void>;
}

/** A gateway without a centre, in a process and a directory of its own; `under` as for startGateway. */
export async function openLoneGateway(settings: object = {}, under: readonly string[] = []): Promise<LoneGateway> {
  const dir = await mkdtemp(join(tmpdir(), 'wattwarden-lone-'));
  const config = join(dir, 'gateway.yaml');
  const base = { version: 1, gateway: { data_dir: join(dir, 'data') }, mqtt: { port: 0 }, http: { port: 0 } };
  await writeFile(config, stringify({ ...base, ...settings }));
  const gateway = await startGateway(config, { under });
  return {
    ...gateway,
    config,
    dir,
    async close() {
      await gateway.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
