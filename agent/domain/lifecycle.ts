import type { Clock } from './clock.js';
import { messageOf, WattwardenError } from './errors.js';
import type { Logger } from './log.js';

/** Anything that must be stopped. `stop` comes after `start` has ended, or in place of an end that does not come. */
export interface Part {
  readonly name: string;
  /** Nothing after it waits for its start; only the whole does. */
  readonly alongside?: boolean;
  start(): Promise<void>;
  /** Ends well before the signal aborts; after that only what protects data is still done. */
  stop(hurry: AbortSignal): Promise<void>;
}

export interface Lifecycle {
  /** `stopped` when `stop` was called meanwhile; what was started until then has been stopped. */
  start(): Promise<'started' | 'stopped'>;
  stop(): Promise<StopReport>;
  /** The second signal: waiting ends, flushing does not. */
  hurry(): void;
}

export interface StopReport {
  readonly stragglers: readonly string[];
  readonly failures: readonly { readonly part: string; readonly message: string }[];
}

interface Timing {
  readonly clock: Clock;
  readonly log: Logger;
  /** For each part; a part that needs longer is named and left behind. */
  readonly stopDeadlineMs: number;
}

/** Starts in the order given and stops in reverse; what was started is stopped even when a later start fails. */
export function inOrder(parts: readonly Part[], { clock, log, stopDeadlineMs }: Timing): Lifecycle {
  const started: Part[] = [];
  const hurried = new AbortController();
  let starting: Promise<unknown> | undefined;
  let stopping: Promise<StopReport> | undefined;

  async function stopAll(): Promise<StopReport> {
    // A part that is stopped half started would open the rest of itself afterwards, and nobody would close it.
    if (starting !== undefined) await inTime(starting);
    const stragglers: string[] = [];
    const failures: { part: string; message: string }[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      const outcome = await stopOne(part);
      if (outcome === 'late') stragglers.push(part.name);
      else if (outcome !== 'stopped') failures.push({ part: part.name, message: outcome.message });
    }
    for (const name of stragglers) log.error({ code: 'stop.straggler', part: name }, 'did not stop in time');
    for (const failure of failures) log.error(failure, 'failed while stopping');
    return { stragglers, failures };
  }

  async function inTime(start: Promise<unknown>): Promise<void> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    hurried.signal.addEventListener('abort', end, { once: true });
    if (hurried.signal.aborted) end();
    await Promise.race([start, clock.sleep(stopDeadlineMs, ended.signal)]);
    hurried.signal.removeEventListener('abort', end);
    end();
  }

  async function stopOne(part: Part): Promise<'stopped' | 'late' | { message: string }> {
    const done = new AbortController();
    const late = clock.sleep(stopDeadlineMs, done.signal).then(() => 'late' as const);
    const stopped = part.stop(hurried.signal).then(
      () => 'stopped' as const,
      (error: unknown) => ({ message: messageOf(error) }),
    );
    const outcome = await Promise.race([stopped, late]);
    done.abort();
    return outcome;
  }

  return {
    async start() {
      try {
        const starts: Promise<void>[] = [];
        for (const part of parts) {
          if (stopping !== undefined) break;
          started.push(part);
          const start = part.start();
          starts.push(start);
          // A failure is told below, after all that were under way have come to an end.
          starting = Promise.allSettled(starts);
          if (part.alongside !== true) await start;
        }
        await Promise.all(starts);
        starting = undefined;
      } catch (error) {
        stopping ??= stopAll();
        await stopping;
        throw error;
      }
      if (stopping === undefined) return 'started';
      await stopping;
      return 'stopped';
    },
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
    hurry() {
      hurried.abort();
    },
  };
}

/** Turns what `listen` throws into words about the address. */
export function listenError(error: unknown, address: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return new WattwardenError('port.in_use', address, { cause: error });
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new WattwardenError('port.forbidden', address, { cause: error });
  }
  return error;
}
