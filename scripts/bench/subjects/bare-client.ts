import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface BareClient {
  received(): Promise<number>;
  close(): Promise<void>;
}

export async function openBareClient(url: string): Promise<BareClient> {
  const entry = fileURLToPath(new URL('./bare-client-process.js', import.meta.url));
  const child = fork(entry, [url], { stdio: 'inherit' });
  await once(child, 'message');
  return {
    async received() {
      const answer = once(child, 'message');
      child.send('received');
      const [count] = (await answer) as [number];
      return count;
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
