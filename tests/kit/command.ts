import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ReadyMessage } from '../../agent/run.js';

const PROGRAM = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `wattwarden` to its end. */
export async function wattwarden(...given: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...given], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  return await collect(child);
}

/** The same, where success is expected; resolves to what it printed. */
export async function succeeds(...given: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await wattwarden(...given);
  if (code !== 0) throw new Error(`wattwarden ${given.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}

export interface RunningGateway {
  readonly mqtt: string;
  readonly http: string;
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** As a power cut would: nothing is flushed. */
  kill(): Promise<void>;
  /** In order; resolves to the exit code. */
  stop(): Promise<number | null>;
}

interface StartOptions {
  readonly program?: string;
  readonly under?: readonly string[];
  /** Long before it is ready. */
  readonly onSpawn?: (pid: number) => void;
}

/** A gateway in a process of its own; `under` is a program that runs it, with its arguments. */
export async function startGateway(
  configFile: string,
  { program = PROGRAM, under = [], onSpawn }: StartOptions = {},
): Promise<RunningGateway> {
  const [first = '', ...given] = [...under, process.execPath, program, 'run', '--config', configFile];
  const child = spawn(first, given, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: cleanEnvironment(),
  });
  if (child.pid !== undefined) onSpawn?.(child.pid);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = await Promise.race([
    new Promise<ReadyMessage>((resolve) => child.once('message', (message) => resolve(message as ReadyMessage))),
    exited.then((code) => {
      throw new Error(`the gateway ended with ${code} while it started:\n${output}`);
    }),
  ]);
  return {
    ...ready,
    pid: child.pid ?? 0,
    output: () => output,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      // Heard by the gateway itself also when another program runs it.
      if (under.length > 0 && child.connected) child.disconnect();
      else child.kill('SIGTERM');
      return await exited;
    },
  };
}

async function collect(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

/** What a developer has set for himself must not reach what is tested. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('WATTWARDEN_'));
  // A time service on this machine that has not reached anybody would make every gateway of a test wait for it.
  return { ...Object.fromEntries(others), WATTWARDEN_CLOCK_TRUST: 'plausible' };
}
