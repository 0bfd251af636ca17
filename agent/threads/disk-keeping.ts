import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ballastPath, openBallast } from '../buffer/ballast.js';
import type { Buffer } from '../buffer/buffer.js';
import type { Clock, Random } from '../domain/clock.js';
import { DISK_STEPS, type DiskFigures, type DiskState } from '../domain/disk.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { createDiskFigures, type EnduranceRules } from '../ops/disk-figures.js';
import { createDiskWatch, type DiskRules } from '../ops/disk-watch.js';

interface Keepers {
  readonly bufferPath: string;
  readonly buffer: Pick<Buffer, 'written' | keyof Relief | keyof Endurance>;
  readonly rules: DiskRules;
  readonly endurance: EnduranceRules;
  readonly tap: { hold(): void; release(): void };
  /** In the other thread; `checkpointed` says that it is done. */
  checkpoint(how: 'passive' | 'truncate'): void;
}

type Relief = Parameters<typeof createDiskWatch>[0]['relief'];
type Endurance = Parameters<typeof createDiskFigures>[0]['endurance'];

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface DiskKeeping {
  /** The ladder first, which the figures ask. */
  readonly parts: readonly Part[];
  readonly state: DiskState & DiskFigures;
  readonly commitWindowMs: number;
  /** Runs it; where the disk is full, with what the ballast gives once more. */
  write<T>(work: () => T): T;
  checkpointed(): void;
  /** Into the metrics. */
  report(): void;
}

/** The disk under the buffer: the ladder when it fills up, and how long it and the card last. */
export function createDiskKeeping(keepers: Keepers, surroundings: Surroundings): DiskKeeping {
  const { bufferPath, buffer, rules } = keepers;
  const { metrics } = surroundings;
  const watch = createDiskWatch(
    {
      rules,
      relief: buffer,
      ballast: openBallast(ballastPath(bufferPath), rules.ballastBytes),
      freeBytes: () => freeBytesOf(dirname(bufferPath)),
      writtenBytes: () => Object.values(buffer.written()).reduce((sum, bytes) => sum + bytes, 0),
      tap: keepers.tap,
      checkpoint: keepers.checkpoint,
    },
    surroundings,
  );
  const figures = createDiskFigures(
    { rules: keepers.endurance, endurance: buffer, written: () => buffer.written(), disk: () => watch.state },
    surroundings,
  );

  return {
    parts: [watch, figures],
    get state() {
      return { ...watch.state, ...figures.figures };
    },
    get commitWindowMs() {
      return figures.commitWindowMs;
    },
    write: watch.write,
    checkpointed: watch.checkpointed,
    report() {
      const { step: now, usableBytes } = watch.state;
      for (const step of DISK_STEPS) metrics.set('disk_step_info', step === now ? 1 : 0, { step });
      if (usableBytes !== null) metrics.set('disk_usable_bytes', usableBytes);
    },
  };
}

async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
