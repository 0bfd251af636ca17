import { setFlagsFromString } from 'node:v8';

/** So many come in one commit only while they come faster than they are stored. */
const UNDER_LOAD = 500;

let isSmall = false;
let isStarted = false;

/**
 * V8 lets the space for young objects grow to 32 MB while it loads a program, and keeps it; and lets old garbage lie until
 * there are 8 MB of it, in each thread. That is worth its memory only to a thread that takes in tens of thousands of
 * readings a second. Most of its limits can be set on the command line alone, which is not ours; how much is to grow can
 * be changed at any time, for all threads of the process.
 */
export function keepHeapSmall(): void {
  isSmall = true;
  limit();
}

/** Old garbage is not looked for before: a start would take a third longer. */
export function startIsOver(): void {
  isStarted = true;
  if (isSmall) limit();
}

/** V8 sets it back for all threads whenever a thread begins. */
export function keepSmallBeside(worker: { once(event: 'online', heard: () => void): unknown }): void {
  worker.once('online', () => {
    if (isSmall) limit();
  });
}

/** Called with the size of each commit. */
export function growUnderLoad(publications: number): void {
  if (!isSmall || publications < UNDER_LOAD) return;
  isSmall = false;
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--no-optimize-for-size');
}

function limit(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  if (isStarted) setFlagsFromString('--optimize-for-size');
}
