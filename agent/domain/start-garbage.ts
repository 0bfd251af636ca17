import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startIsOver } from './heap-growth.js';

/** By then what the start has left behind is garbage, and nobody waits for the thread's first answers any more. */
const AFTER_START_MS = 5_000;

/**
 * Half of a thread's memory is garbage of its start: V8 collects old objects when they have doubled, and at first allows
 * them many times what a gateway ever uses. Only the command line could say otherwise, which is not ours; but once it
 * has collected, it goes by what was left.
 */
export function collectAfterStart(afterMs = AFTER_START_MS): void {
  setTimeout(() => {
    collect();
    startIsOver();
  }, afterMs).unref();
}

function collect(): void {
  // What is left lies scattered over pages that are mostly empty: it is moved together, and they are given back.
  setFlagsFromString('--compact-on-every-full-gc');
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
  setFlagsFromString('--no-compact-on-every-full-gc');
}
