import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Order, Outcome } from './orders.js';

export interface Publisher {
  publish(order: Order): Promise<Outcome>;
  close(): Promise<void>;
}

export function openPublisher(): Publisher {
  const child = fork(fileURLToPath(new URL('./publisher-process.js', import.meta.url)), { stdio: 'inherit' });
  const ended = once(child, 'exit');
  const gone = ended.then((): Answer => ({ failure: 'the publishing process has ended' }));
  return {
    async publish(order) {
      const said = new Promise<Answer>((resolve) => child.once('message', (answer) => resolve(answer as Answer)));
      child.send(order);
      const answer = await Promise.race([said, gone]);
      if ('failure' in answer) throw new Error(answer.failure);
      return answer.outcome;
    },
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
