import { pubackBytes } from './pubacks.js';

/** PUBACKs that wait for their commit. MQTT wants them in the order of the packets that they answer. */
export interface Acknowledgements {
  /** The packet has arrived; what is returned is called when it may be acknowledged. */
  expect(messageId: number): () => void;
  /** Sends what is due; otherwise that happens at the end of the present turn, in one write. */
  flush(): void;
  /** The connection is gone: its message ids mean nothing in the next one. */
  drop(): void;
}

/**
 * Written here rather than by the library: its own way out keeps what it cannot send for the next connection, in
 * which the same number may stand for another message.
 */
export function createAcknowledgements(write: (packets: Buffer) => void): Acknowledgements {
  let waiting: { readonly messageId: number; due: boolean }[] = [];
  let planned = false;
  let dropped = false;

  function flush(): void {
    const ready = waiting.findIndex(({ due }) => !due);
    const count = ready === -1 ? waiting.length : ready;
    if (dropped || count === 0) return;
    write(pubackBytes(waiting.slice(0, count).map(({ messageId }) => messageId)));
    waiting = waiting.slice(count);
  }

  return {
    expect(messageId) {
      const entry = { messageId, due: false };
      waiting.push(entry);
      return () => {
        entry.due = true;
        if (planned) return;
        planned = true;
        process.nextTick(() => {
          planned = false;
          flush();
        });
      };
    },
    flush,
    drop() {
      dropped = true;
      waiting = [];
    },
  };
}
