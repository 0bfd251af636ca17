import { type ChildProcess, fork } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CheckResult } from '../buffer/check-file.js';
import { damageOf } from '../buffer/damage.js';
import type { DamageReport, Salvaged } from '../buffer/damage-book.js';
import type { RestoreBatch, Restored } from '../buffer/restoring.js';
import { type KeepAside, markGoneThrough, removeOldAside } from '../buffer/set-aside.js';
import type { Clock, Random } from '../domain/clock.js';
import { isWriteRefused, messageOf } from '../domain/errors.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';
import type { FromMending, ToMending } from './mending-messages.js';

interface Mendable {
  readonly logId: string;
  readonly lastStop: 'clean' | 'unclean';
  reportDamage(cause: string, logId: string): void;
  unsalvaged(): readonly Salvaged[];
  restore(batch: RestoreBatch): Restored;
  endSalvage(file: string, report: DamageReport): void;
  noteRemoved(file: string): void;
}

export interface Mending extends Part {
  /** Another file has taken the place of a damaged one. */
  replaced(): void;
  /** What the threads say that read the file. */
  readonly ofReaders: {
    /** It is damaged: another one takes its place. */
    onDamage(cause: string, logId: string): void;
    /** One that could not even start for it finds another file the next time; false when it was something else. */
    mend(cause: unknown): boolean;
    /** One died: if it failed to read the file, that is looked through. */
    died(cause: unknown): void;
  };
  /** Until a file that was not closed in order is known to be whole, its WAL must not be moved into it. */
  readonly checkpointsHeld: SharedArrayBuffer;
}

interface Options {
  readonly bufferPath: string;
  readonly keepUnsettled: boolean;
  /** How many of the files that were set aside stay. */
  readonly keepAside: KeepAside;
  /** Rows came back: whoever keeps some of them in memory should look again. */
  onSalvaged(): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const BACKOFF = { firstMs: 1_000, maxMs: 300_000 };
/** Replacements wake the loop; this is only a bound. */
const IDLE_MS = 3_600_000;
/** What is salvaged must not take the room that new readings need. */
const MIN_FREE_BYTES = 64 * 2 ** 20;
const ROOM_AGAIN_MS = 60_000;
const WRITE_AGAIN_MS = 5_000;
/** A file that ends the process that reads it so often is left as it is. */
const MAX_ATTEMPTS = 3;

/** Checks the file after a stop that was not clean, and salvages what was set aside, while the gateway serves. */
export function createMending(buffer: Mendable, options: Options, surroundings: Surroundings): Mending {
  const { clock, log, metrics } = surroundings;
  const { bufferPath } = options;
  const held = new Int32Array(new SharedArrayBuffer(4));
  const attempts = new Map<string, number>();
  let unchecked = buffer.lastStop === 'unclean';
  Atomics.store(held, 0, unchecked ? 1 : 0);
  let loop: Loop | undefined;

  async function check(signal: AbortSignal): Promise<void> {
    const { logId } = buffer;
    const last = await runProcess({ kind: 'check', path: bufferPath }, signal);
    if (signal.aborted) return;
    if (last.kind !== 'checked') throw new Error('the check came to no result');
    unchecked = false;
    tellCheck(last.result);
    if (last.result.outcome === 'damaged') buffer.reportDamage(last.result.cause, last.result.logId ?? logId);
    Atomics.store(held, 0, 0);
  }

  function tellCheck(result: CheckResult): void {
    metrics.inc('buffer_checks_total', 1, { result: result.outcome });
    if (result.outcome === 'whole') log.info({}, 'the buffer was not closed in order; it is checked and whole');
  }

  async function salvageOne(waiting: Salvaged, signal: AbortSignal): Promise<void> {
    const { file, done } = waiting;
    const tries = (attempts.get(file) ?? 0) + 1;
    attempts.set(file, tries);
    log.info({ file }, 'salvaging what can be read of the file that was set aside');
    let report: DamageReport;
    try {
      const path = join(dirname(bufferPath), file);
      const request = { path, file, done, keepUnsettled: options.keepUnsettled };
      const last = await runProcess({ kind: 'salvage', request }, signal);
      if (signal.aborted) return;
      if (last.kind !== 'salvaged') throw new Error('the salvage came to no result');
      report = last.report;
    } catch (error) {
      if (signal.aborted || tries < MAX_ATTEMPTS) throw error;
      report = { state: 'given_up', restored: {}, lost: [], notes: [messageOf(error)] };
    }
    buffer.endSalvage(file, report);
    tellSalvage(file, report);
    if (report.state === 'salvaged') bound(file, report);
    options.onSalvaged();
  }

  function tellSalvage(file: string, { state, restored, lost, notes }: DamageReport): void {
    for (const { table, rows } of lost) metrics.inc('buffer_lost_rows_total', rows ?? 1, { table });
    const isWhole = state === 'salvaged' && lost.length === 0;
    const fields = { file, restored, lost, notes };
    if (isWhole) log.info(fields, 'everything in the damaged file is salvaged');
    else
      log.error({ code: 'buffer.damaged', ...fields }, 'not everything in the damaged file could be read; it is kept');
  }

  /** What could not be read to its end is the only copy of its rows, and is not counted. */
  function bound(file: string, { lost, notes }: DamageReport): void {
    markGoneThrough(bufferPath, file, lost.length + notes.length === 0 ? 'whole' : 'gaps');
    for (const removed of removeOldAside(bufferPath, options.keepAside)) {
      metrics.inc('buffer_aside_removed_total', 1, { was: removed.was });
      buffer.noteRemoved(removed.file);
      if (removed.was === 'whole')
        log.info(removed, 'an older damaged file is removed: every row of it is stored again');
      else log.warn(removed, 'an older damaged file is removed: every row of it that could be read is stored again');
    }
  }

  /** The batch is stored, however long that takes; the process at the other end waits for it. */
  async function store(batch: RestoreBatch, signal: AbortSignal): Promise<Restored> {
    for (;;) {
      if (freeBytes(bufferPath) < MIN_FREE_BYTES) {
        await clock.sleep(ROOM_AGAIN_MS, signal);
      } else {
        const beganMs = clock.monotonicMs();
        try {
          const restored = buffer.restore(batch);
          metrics.inc('buffer_salvaged_rows_total', restored.stored, { table: batch.table });
          // At most half of this thread's time; readings come first.
          await clock.sleep(clock.monotonicMs() - beganMs, signal);
          return restored;
        } catch (error) {
          if (!isWriteRefused(error)) throw error;
          await clock.sleep(WRITE_AGAIN_MS, signal);
        }
      }
      signal.throwIfAborted();
    }
  }

  async function runProcess(task: ToMending, signal: AbortSignal): Promise<FromMending> {
    const child = fork(ENTRY, [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    try {
      return await converse(child, task, (batch) => store(batch, signal));
    } finally {
      signal.removeEventListener('abort', kill);
      kill();
    }
  }

  return {
    name: 'mending',
    checkpointsHeld: held.buffer as SharedArrayBuffer,
    async start() {
      loop = supervise(
        {
          name: 'mending',
          backoff: BACKOFF,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'mending' }),
          async turn(signal) {
            if (unchecked) await check(signal);
            const [waiting] = buffer.unsalvaged();
            metrics.set('buffer_unsalvaged_files', buffer.unsalvaged().length);
            if (waiting === undefined || signal.aborted) return IDLE_MS;
            await salvageOne(waiting, signal);
            return 0;
          },
        },
        surroundings,
      );
    },
    replaced() {
      metrics.inc('buffer_replaced_total', 1);
      // A new file has nothing that a checkpoint could spoil.
      unchecked = false;
      Atomics.store(held, 0, 0);
      loop?.now();
    },
    ofReaders: {
      onDamage: (cause, logId) => buffer.reportDamage(cause, logId),
      mend(cause) {
        const damage = damageOf(cause);
        if (damage !== undefined) buffer.reportDamage(damage, buffer.logId);
        return damage !== undefined;
      },
      died(cause) {
        if (damageOf(cause) === undefined) return;
        unchecked = true;
        loop?.now();
      },
    },
    async stop() {
      await loop?.stop();
    },
  };
}

const ENTRY = fileURLToPath(new URL('./mending-process.js', import.meta.url));

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

/** Resolves to the last thing the process says. */
function converse(
  child: ChildProcess,
  task: ToMending,
  store: (batch: RestoreBatch) => Promise<Restored>,
): Promise<FromMending> {
  return new Promise((resolve, reject) => {
    const send = (message: ToMending): void => void child.send(message, (error) => error && reject(error));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the process that reads the file ended (${signal ?? code})`)),
    );
    child.on('message', (message: FromMending) => {
      if (message.kind === 'rows') {
        store(message.batch).then((restored) => send({ kind: 'stored', restored }), reject);
      } else if (message.kind === 'failed') reject(new Error(message.message));
      else resolve(message);
    });
    send(task);
  });
}
