import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface BareAedes {
  readonly port: number;
  close(): Promise<void>;
}

export async function openBareAedes(): Promise<BareAedes> {
  const child = fork(fileURLToPath(new URL('./bare-aedes-process.js', import.meta.url)), { stdio: 'inherit' });
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
