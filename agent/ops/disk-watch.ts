import type { Clock, Random } from '../domain/clock.js';
import { DISK_STEPS, type DiskState, type DiskStep, type FileRoom } from '../domain/disk.js';
import { codeOf, isWriteRefused, messageOf } from '../domain/errors.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';

interface Relief {
  room(): FileRoom;
  dropSettled(): number;
  thin(): number;
  vacuum(): number;
  probe(): void;
  checkpoint(): void;
}

interface Ballast {
  readonly bytes: number;
  release(): boolean;
  fill(signal: AbortSignal): Promise<'filled' | 'failed'>;
}

export interface DiskRules {
  /** With less than this the ladder begins. */
  readonly reserveBytes: number;
  readonly ballastBytes: number;
  /** A longer WAL is to be moved into the file at once. */
  readonly walBytes: number;
}

interface Given {
  readonly rules: DiskRules;
  readonly relief: Relief;
  readonly ballast: Ballast;
  /** Of the disk that the buffer is on. */
  freeBytes(): Promise<number>;
  /** To the disk since the start. */
  writtenBytes(): number;
  /** While it is held, nothing is taken in and nothing acknowledged. */
  readonly tap: { hold(): void; release(): void };
  /** What the WAL holds goes into the file, in another thread; with `truncate` its room goes back to the disk. */
  checkpoint(how: 'passive' | 'truncate'): void;
}

interface Look {
  readonly isShort: boolean;
  readonly isEnough: boolean;
  /** Room inside the file does not help the WAL. */
  readonly walShort: boolean;
  /** Little room on the disk itself. */
  readonly isTight: boolean;
  readonly isLast: boolean;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface DiskWatch extends Part {
  readonly state: DiskState;
  /** The other thread has done what `checkpoint` asked for. */
  checkpointed(): void;
  /** Runs it; where the disk is full, releases the ballast and runs it once more before it fails. */
  write<T>(work: () => T): T;
}

const LOOK_EVERY_MS = 5_000;
/** With so large a part of the reserve written, the disk is looked at sooner. */
const LOOK_PART = 1 / 16;
/** Room that returns is found within this, and ten seconds are promised. */
const IN_NEED_EVERY_MS = 1_000;
/** Room that is there for so long is there to stay. */
const CALM_MS = 5_000;
/** Writing the ballast anew wears the disk: not for every short shortage. */
const BALLAST_AGAIN_MS = 60_000;
const BACKOFF = { firstMs: 1_000, maxMs: 5_000 };
/** Between two steps the thread takes readings in. */
const PAUSE_MS = 20;
/** One turn goes on for so long, and then looks at the disk again. */
const TURN_MS = 2_000;
/** What is regained beyond the reserve before a step counts as over, so that the ladder does not swing. */
const ENOUGH = 1.25;
/** With so small a part of the reserve left, commits fail soon: nothing is taken in any more. */
const LAST_PART = 1 / 16;
/** The WAL needs room on the disk itself, whatever room there is inside the file. */
const WAL_PART = 1 / 4;

/** Asked so often in vain, and with a WAL so many times too long, the thread that takes readings in does it itself. */
const ASKED_IN_VAIN = 3;
const WAL_TOO_LONG = 4;

const STEP_WORDS: Readonly<Record<DiskStep, string>> = {
  ample: 'there is room on the disk again',
  ballast: 'the disk is short of room: the ballast is released',
  dropping: 'the disk is short of room: readings that the centre has are dropped',
  thinning: 'the disk is short of room: readings are thinned into their slots',
  refusing: 'the disk is full: nothing is taken in until there is room',
};

/** Goes down the ladder of domain/disk.ts while the disk fills up, and up again by itself. */
export function createDiskWatch(given: Given, { clock, random, log, metrics }: Surroundings): DiskWatch {
  const { rules, relief, ballast, tap } = given;
  let step: DiskStep = 'ample';
  let sinceMs: number = clock.now();
  let usableBytes = Number.POSITIVE_INFINITY;
  let walBytes = 0;
  let hasFailed = false;
  let asked = 0;
  let diskBytes = 0;
  let enoughSinceMs: number | undefined;
  let releasedAtMs = Number.NEGATIVE_INFINITY;
  let writtenAtLook = 0;
  const removed = { dropped: 0, thinned: 0 };
  let loop: Loop | undefined;

  function enter(next: DiskStep): void {
    if (next === step) return;
    const isWorse = DISK_STEPS.indexOf(next) > DISK_STEPS.indexOf(step);
    step = next;
    sinceMs = clock.now();
    metrics.inc('disk_steps_total', 1, { step: next });
    if (next === 'refusing') tap.hold();
    else tap.release();
    const line = { step: next, usableBytes, ...removed };
    if (next === 'refusing') log.error({ ...line, code: 'buffer.full' }, STEP_WORDS[next]);
    else if (isWorse) log.warn(line, STEP_WORDS[next]);
    else log.info(line, next === 'ample' ? STEP_WORDS.ample : `the disk has more room: ${next}`);
  }

  async function look(): Promise<Look> {
    const onDisk = await given.freeBytes();
    const room = relief.room();
    writtenAtLook = given.writtenBytes();
    walBytes = room.walBytes;
    diskBytes = onDisk - room.pendingBytes;
    usableBytes = Math.max(0, Math.min(diskBytes, room.growthBytes)) + room.reusableBytes;
    const { reserveBytes } = rules;
    const walShort = diskBytes + walBytes < reserveBytes * WAL_PART;
    return {
      walShort,
      isShort: walShort || usableBytes < reserveBytes,
      isEnough: !walShort && usableBytes >= reserveBytes * ENOUGH,
      isTight: diskBytes < 2 * reserveBytes * LAST_PART,
      isLast: Math.min(diskBytes, usableBytes) < reserveBytes * LAST_PART,
    };
  }

  function releaseBallast(): boolean {
    if (!ballast.release()) return false;
    releasedAtMs = clock.monotonicMs();
    if (step === 'ample') enter('ballast');
    return true;
  }

  /** One bounded step of what helps, in the order of the ladder; false when nothing is left to do. */
  function relieve(walShort: boolean): boolean {
    const room = relief.room();
    if (walShort && room.reusableBytes > 0 && relief.vacuum() > 0) return true;
    const dropped = relief.dropSettled();
    removed.dropped += dropped;
    metrics.inc('disk_relief_rows_total', dropped, { step: 'dropping' });
    if (dropped > 0) {
      enter(worse('dropping'));
      return true;
    }
    const thinned = relief.thin();
    removed.thinned += thinned;
    metrics.inc('disk_relief_rows_total', thinned, { step: 'thinning' });
    if (thinned > 0) enter(worse('thinning'));
    return thinned > 0;
  }

  /** While nothing is taken in, the steps above go on and are not entered again. */
  const worse = (next: DiskStep): DiskStep => (step === 'refusing' ? step : next);

  /**
   * Deleting is writing: each step lengthens the WAL, and takes from the disk what it gives to the file. Where the disk
   * itself is tight the next step therefore waits for a checkpoint, and what comes in must not take the last room for one.
   */
  async function makeRoom(signal: AbortSignal): Promise<void> {
    const untilMs = clock.monotonicMs() + TURN_MS;
    for (let now = await look(); !now.isEnough || now.isTight; now = await look()) {
      if (clock.monotonicMs() >= untilMs || signal.aborted) return;
      if (now.isLast) enter('refusing');
      if (now.isTight && walBytes > 0) given.checkpoint('truncate');
      else if (!relieve(now.walShort)) return;
      await clock.sleep(PAUSE_MS, signal);
    }
  }

  /** Whether the next commit is going to succeed. */
  function canWrite(): boolean {
    try {
      relief.probe();
      return true;
    } catch (error) {
      if (!isWriteRefused(error)) throw error;
      return false;
    }
  }

  /** The thread that checkpoints may be dead or at its start again and again; the WAL must not grow for ever. */
  function keepWalShort(): void {
    if (walBytes <= rules.walBytes) return;
    if (asked >= ASKED_IN_VAIN && walBytes > WAL_TOO_LONG * rules.walBytes) {
      asked = 0;
      log.warn({ walBytes }, 'nobody moves the log of writes into the file: done by the writer itself');
      metrics.inc('checkpoints_total', 1, { by: 'writer' });
      relief.checkpoint();
      return;
    }
    asked += 1;
    given.checkpoint('passive');
  }

  async function turn(signal: AbortSignal): Promise<number> {
    const before = await look();
    keepWalShort();
    const failed = hasFailed;
    hasFailed = false;
    if (step === 'ample' && !before.isShort && !failed) {
      await restoreBallast(signal);
      return LOOK_EVERY_MS;
    }
    if (before.isShort || failed) {
      releaseBallast();
      if (step === 'ample') enter('ballast');
    }
    given.checkpoint('truncate');
    try {
      await makeRoom(signal);
    } catch (error) {
      // What cannot be deleted for want of room for the deletion itself: the checkpoint makes some.
      if (codeOf(error) !== 'buffer.full') throw error;
      log.warn({ code: 'buffer.full', step }, messageOf(error));
    }
    settleOn(await look(), failed);
    return IN_NEED_EVERY_MS;
  }

  function settleOn({ isEnough, isTight, isLast }: Look, failed: boolean): void {
    if (step === 'refusing') {
      if (!isTight && !isLast && canWrite()) enter('thinning');
    } else if (isLast || ((failed || hasFailed) && !canWrite())) {
      enter('refusing');
      return;
    }
    if (!isEnough || step === 'refusing') {
      enoughSinceMs = undefined;
      return;
    }
    enoughSinceMs ??= clock.monotonicMs();
    if (clock.monotonicMs() - enoughSinceMs >= CALM_MS) enter('ample');
  }

  /** Only where there is room for it beside the reserve. */
  async function restoreBallast(signal: AbortSignal): Promise<void> {
    const missing = rules.ballastBytes - ballast.bytes;
    if (missing <= 0 || clock.monotonicMs() - releasedAtMs < BALLAST_AGAIN_MS) return;
    if (diskBytes >= missing + rules.reserveBytes * ENOUGH) await ballast.fill(signal);
  }

  function writeWithBallast<T>(work: () => T, first: unknown): T {
    try {
      if (releaseBallast()) return work();
    } catch (error) {
      if (codeOf(error) !== 'buffer.full') throw error;
    }
    enter('refusing');
    throw first;
  }

  return {
    name: 'disk watch',
    get state() {
      return {
        step,
        sinceMs,
        usableBytes: Number.isFinite(usableBytes) ? usableBytes : null,
        ballastBytes: ballast.bytes,
        walBytes,
        ...removed,
      };
    },
    checkpointed() {
      asked = 0;
    },
    write(work) {
      try {
        const result = work();
        if (given.writtenBytes() - writtenAtLook > rules.reserveBytes * LOOK_PART) loop?.wake();
        return result;
      } catch (error) {
        if (codeOf(error) !== 'buffer.full') throw error;
        hasFailed = true;
        loop?.now();
        return writeWithBallast(work, error);
      }
    },
    async start() {
      loop = supervise(
        {
          name: 'disk',
          backoff: BACKOFF,
          turn,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'disk' }),
        },
        { clock, random, log },
      );
    },
    async stop() {
      await loop?.stop();
    },
  };
}
