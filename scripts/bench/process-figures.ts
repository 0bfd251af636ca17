import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What the kernel has counted for a process since it began; Linux only. */
export interface ProcessFigures {
  /** All threads, user and system. */
  readonly cpuMs: number;
  /** Sent to the storage, not merely written to a file. */
  readonly writtenBytes: number;
  readonly residentBytes: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export function figuresOf(pid: number | 'self'): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in brackets and may hold anything; state is the first field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    cpuMs: (ticks * 1_000) / ticksPerSecond,
    writtenBytes: numberAfter(`/proc/${pid}/io`, /^write_bytes: (\d+)$/m),
    residentBytes: numberAfter(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB$/m) * 1_024,
  };
}

function numberAfter(file: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(file, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${file} does not tell ${pattern.source}`);
  return Number(found);
}
