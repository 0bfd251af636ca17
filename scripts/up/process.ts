import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Part } from '../../agent/domain/lifecycle.js';
import type { ReadyMessage } from '../../agent/run.js';

const PROGRAM = fileURLToPath(new URL('../../agent/main.js', import.meta.url));

interface Ended {
  readonly isWell: boolean;
  /** Behind its name. */
  readonly how: string;
}

export interface Process extends Part {
  /** For a gateway: where it listens, once it does. */
  readonly ready: Promise<ReadyMessage>;
  /** Resolves when it ends without having been asked to. */
  readonly died: Promise<Ended>;
}

/**
 * A `wattwarden` command as a process of its own. It has a process group of its own, so that Ctrl-C reaches only this
 * program, which stops its parts in order; and a channel, whose end tells it that this program is gone.
 */
export function createProcess({
  name,
  command,
}: {
  readonly name: string;
  readonly command: readonly string[];
}): Process {
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();
  let stopping = false;
  let onReady: (message: ReadyMessage) => void = () => undefined;
  let onDied: (ended: Ended) => void = () => undefined;
  const died = new Promise<Ended>((resolve) => {
    onDied = resolve;
  });
  const ready = new Promise<ReadyMessage>((resolve, reject) => {
    onReady = resolve;
    void died.then(({ how }) => reject(new Error(`${name} ${how}`)));
  });
  ready.catch(() => undefined); // told through `died` as well

  return {
    name,
    ready,
    died,
    async start() {
      const started = launch(command, 'inherit');
      child = started;
      started.once('message', (message) => onReady(message as ReadyMessage));
      const ended = endOf(started);
      exited = ended;
      void ended.then((end) => {
        if (!stopping) onDied(end);
      });
    },
    async stop(hurry) {
      stopping = true;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const again = (): void => void child?.kill('SIGTERM');
      if (hurry.aborted) again();
      hurry.addEventListener('abort', again, { once: true });
      await exited;
      hurry.removeEventListener('abort', again);
    },
  };
}

/** Runs a command to its end, which the signal asks for early; what it says on the way is passed on. */
export async function runCommand(command: readonly string[], signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const child = launch(command, 'inherit');
  const end = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', end, { once: true });
  try {
    const { isWell, how } = await endOf(child);
    if (!isWell) throw new Error(`wattwarden ${command.slice(0, 2).join(' ')} ${how}`);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

const launch = (command: readonly string[], output: 'inherit'): ChildProcess =>
  spawn(process.execPath, [PROGRAM, ...command], { stdio: ['ignore', output, output, 'ipc'], detached: true });

export const endOf = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve({ isWell: code === 0, how: signal === null ? `has ended with code ${code}` : `was ended by ${signal}` }),
    );
  });
