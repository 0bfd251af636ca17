import { uptime } from 'node:os';

/** What the kernel counts and what it was told: nobody can set the first, anybody the second. */
export interface MachineTime {
  /** Since the kernel started; the same for all threads and processes. Never steps. */
  sinceBootMs(): number;
  wallMs(): number;
  /** Now and then: a machine that slept has counted on meanwhile, and this thread has not. */
  noticeSleep(): void;
}

/** Less than that is the coarseness of the kernel's figure, and no sleep. */
const SLEPT_MS = 1_000;

export function createMachineTime(): MachineTime {
  // `performance` begins with its thread, the kernel's counter with the kernel.
  const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  let asleepMs = 0;
  const awakeMs = (): number => originMs + performance.now();

  function noticeSleep(): void {
    // Some containers count from their own start: then it is less, and says nothing.
    const foundMs = Math.max(0, uptime() * 1_000 - awakeMs());
    if (foundMs - asleepMs > SLEPT_MS) asleepMs = foundMs;
  }

  noticeSleep();
  return { sinceBootMs: () => awakeMs() + asleepMs, wallMs: () => Date.now(), noticeSleep };
}
