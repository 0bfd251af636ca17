import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type RunningGateway, startGateway } from './command.js';
import { openSmallDisk, type SmallDisk } from './small-disk.js';

export const MIB = 1_048_576;
export const RESERVE_BYTES = 4 * MIB;
export const BALLAST_BYTES = 2 * MIB;

/** What a gateway on a small disk is told beside its place; `buffer` is added to what makes the disk small. */
interface Settings {
  readonly buffer?: object;
  readonly [section: string]: object | undefined;
}

/** A gateway whose data lies on a disk of its own. */
export interface DiskScene {
  readonly disk: SmallDisk;
  readonly config: string;
  readonly dataDir: string;
  readonly buffer: string;
  start(): Promise<RunningGateway>;
  close(): Promise<void>;
}

export function openDiskScene(diskBytes: number, { buffer = {}, ...others }: Settings = {}): DiskScene {
  const disk = openSmallDisk(diskBytes);
  const dataDir = join(disk.dir, 'data');
  const config = join(disk.dir, 'gateway.yaml');
  const document = {
    version: 1,
    mqtt: { port: 0 },
    http: { port: 0 },
    models: { enabled: false },
    ...others,
    gateway: { ...others['gateway'], data_dir: dataDir },
    buffer: { reserve_bytes: RESERVE_BYTES, ballast_bytes: BALLAST_BYTES, slot_grace_s: 0, ...buffer },
  };
  writeFileSync(config, stringify(document), { mode: 0o600 });
  const running: RunningGateway[] = [];
  return {
    disk,
    config,
    dataDir,
    buffer: join(dataDir, 'buffer.sqlite'),
    async start() {
      const gateway = await startGateway(config);
      running.push(gateway);
      return gateway;
    },
    async close() {
      for (const gateway of running) await gateway.stop();
      disk.close();
    },
  };
}
