import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { invariant } from '../../../agent/domain/errors.js';

export interface BareAedes {
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

export async function openBareAedes(): Promise<BareAedes> {
  const child = fork(fileURLToPath(new URL('./bare-aedes-process.js', import.meta.url)), { stdio: 'inherit' });
  const { pid } = child;
  invariant(pid !== undefined, 'what is forked has a process');
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    pid,
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
