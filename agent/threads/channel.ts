import type { MessagePort, Worker } from 'node:worker_threads';
import type { Clock } from '../domain/clock.js';

type Envelope<Message, Ask, Answer> =
  | { readonly type: 'ready' }
  | { readonly type: 'stop' }
  | { readonly type: 'message'; readonly body: Message }
  | { readonly type: 'ask'; readonly id: number; readonly body: Ask }
  | { readonly type: 'answer'; readonly id: number; readonly body: Answer }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

/** What crosses in one direction: messages that expect nothing, and questions with their answer. */
export interface Traffic {
  readonly message: unknown;
  readonly ask: unknown;
  readonly answer: unknown;
}

export interface Receiver<In extends Traffic> {
  onMessage(message: In['message']): void;
  onAsk(ask: In['ask']): Promise<In['answer']>;
  onReady?(): void;
  onStop?(): void;
}

export interface Channel<Out extends Traffic> {
  post(message: Out['message']): void;
  /** Rejects when no answer has come within the deadline. */
  ask(ask: Out['ask'], deadlineMs: number): Promise<Out['answer']>;
  ready(): void;
  stop(): void;
  /** Rejects every question that is still open. */
  close(): void;
}

/** One end of the line between two threads; both ends speak the types of messages.ts. */
export function createChannel<Out extends Traffic, In extends Traffic>(
  port: MessagePort | Worker,
  receiver: Receiver<In>,
  clock: Clock,
): Channel<Out> {
  const open = new Map<number, { resolve(answer: Out['answer']): void; reject(error: Error): void }>();
  let lastId = 0;

  const send = (envelope: Envelope<Out['message'], Out['ask'], In['answer']>): void => port.postMessage(envelope);

  function receive(envelope: Envelope<In['message'], In['ask'], Out['answer']>): void {
    switch (envelope.type) {
      case 'ready':
        receiver.onReady?.();
        return;
      case 'stop':
        receiver.onStop?.();
        return;
      case 'message':
        receiver.onMessage(envelope.body);
        return;
      case 'ask':
        receiver.onAsk(envelope.body).then(
          (body) => send({ type: 'answer', id: envelope.id, body }),
          (error: unknown) => send({ type: 'failed', id: envelope.id, message: String(error) }),
        );
        return;
      case 'answer':
        open.get(envelope.id)?.resolve(envelope.body);
        return;
      case 'failed':
        open.get(envelope.id)?.reject(new Error(envelope.message));
        return;
    }
  }
  port.on('message', receive);

  return {
    post: (body) => send({ type: 'message', body }),
    ready: () => send({ type: 'ready' }),
    stop: () => send({ type: 'stop' }),
    async ask(body, deadlineMs) {
      const id = ++lastId;
      const answered = new AbortController();
      try {
        return await new Promise<Out['answer']>((resolve, reject) => {
          open.set(id, { resolve, reject });
          void clock.sleep(deadlineMs, answered.signal).then(() => reject(new Error(`no answer in ${deadlineMs} ms`)));
          send({ type: 'ask', id, body });
        });
      } finally {
        open.delete(id);
        answered.abort();
      }
    },
    close() {
      for (const { reject } of open.values()) reject(new Error('the other thread has ended'));
    },
  };
}
