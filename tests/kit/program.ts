import { execFileSync, spawn } from 'node:child_process';

/** Whether a program of the operating system is installed. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export function runProgram(name: string, ...given: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, given, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
