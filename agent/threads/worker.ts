import { parentPort } from 'node:worker_threads';
import { systemClock } from '../domain/clock.js';
import { invariant } from '../domain/errors.js';
import { collectAfterStart } from '../domain/start-garbage.js';
import { type Channel, createChannel, type Traffic } from './channel.js';

/** What a worker's own composition gives back: how it takes messages and questions, and how it ends. */
export interface Work<In extends Traffic> {
  onMessage(message: In['message']): void;
  onAsk(ask: In['ask']): Promise<In['answer']>;
  stop(): Promise<void>;
}

/** The frame of a worker's entry file. A failure to start or an unhandled one ends the thread, and thread.ts starts it again. */
export async function serve<In extends Traffic, Out extends Traffic>(
  start: (toMain: Channel<Out>) => Promise<Work<In>>,
): Promise<void> {
  const port = parentPort;
  invariant(port !== null, 'a worker entry runs in a worker');
  // Messages that arrive while the work starts wait for it.
  const waiting: In['message'][] = [];
  let work: Work<In> | undefined;
  let stopAsked = false;

  const stop = async (): Promise<void> => {
    stopAsked = true;
    if (work === undefined) return;
    await work.stop();
    toMain.close();
    port.close();
  };
  const toMain = createChannel<Out, In>(
    port,
    {
      onMessage: (message) => (work === undefined ? waiting.push(message) : work.onMessage(message)),
      onAsk: async (ask) => {
        if (work === undefined) throw new Error('still starting');
        return await work.onAsk(ask);
      },
      onStop: () => void stop(),
    },
    systemClock,
  );
  work = await start(toMain);
  toMain.ready();
  collectAfterStart();
  if (stopAsked) return await stop();
  for (const message of waiting) work.onMessage(message);
}
