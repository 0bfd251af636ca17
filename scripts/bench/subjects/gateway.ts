import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { openReader } from '../../../agent/buffer/reader.js';
import { type RunningGateway, startGateway } from '../../../tests/kit/command.js';

/** This runs as dist/scripts/bench/subjects/gateway.js. */
export const PROGRAM = fileURLToPath(new URL('../../../agent/main.js', import.meta.url));

export interface BenchGateway extends RunningGateway {
  readonly port: number;
  readonly bufferFile: string;
  /** The number of its newest row. */
  stored(): number;
}

export const gatewayFiles = (dir: string) => ({
  dataDir: join(dir, 'data'),
  bufferFile: join(dir, 'data', 'buffer.sqlite'),
  configFile: join(dir, 'gateway.yaml'),
});

/** Writes its configuration: free ports, and `settings` on top of the defaults. */
export function configure(dir: string, settings: object): void {
  const { dataDir, configFile } = gatewayFiles(dir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const own = { version: 1, gateway: { data_dir: dataDir }, mqtt: { port: 0 }, http: { port: 0 } };
  writeFileSync(configFile, stringify({ ...own, ...settings }));
}

/** A real gateway with its own process and directory. */
export async function openGateway(dir: string, settings: object = {}): Promise<BenchGateway> {
  configure(dir, settings);
  const { bufferFile, configFile } = gatewayFiles(dir);
  const gateway = await startGateway(configFile, { program: PROGRAM });
  return {
    ...gateway,
    port: Number(gateway.mqtt.split(':').at(-1)),
    bufferFile,
    stored() {
      const reader = openReader(bufferFile);
      try {
        return reader.head().seq;
      } finally {
        reader.close();
      }
    },
  };
}
