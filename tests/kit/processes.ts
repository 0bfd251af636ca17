import { readdirSync, readFileSync } from 'node:fs';

/** Processor time that a process and its threads have taken, other than wall time hardly more on a busy machine. */
export function cpuMsOf(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The process that another one has started with this in its command line. */
export function childOf(parent: number, commandPart: string): number | undefined {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .find((pid) => Number(statOf(pid)[1]) === parent && commandOf(pid).includes(commandPart));
}

/** USER_HZ, which Linux tells programs as 100 everywhere. */
const TICK_MS = 10;

/** From the state on: the name before it may hold anything. Empty for a process that has ended. */
function statOf(pid: number): readonly string[] {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
