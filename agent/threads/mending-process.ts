import { setPriority } from 'node:os';
import { checkFile } from '../buffer/check-file.js';
import type { Restored } from '../buffer/restoring.js';
import { salvage } from '../buffer/salvage/salvage.js';
import { messageOf } from '../domain/errors.js';
import type { FromMending, ToMending } from './mending-messages.js';

/**
 * Reads through a whole file, which no other work should wait for: a process and not a thread, because SQLite cannot be
 * interrupted in it. It reads only, the first page of a file that was set aside apart; a kill costs nothing but its work.
 */
const LOW_PRIORITY = 10;
setPriority(LOW_PRIORITY);

let onStored: ((restored: Restored) => void) | undefined;

function tell(message: FromMending): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, {}, () => resolve());
  });
}

async function answer(message: Exclude<ToMending, { kind: 'stored' }>): Promise<FromMending> {
  try {
    if (message.kind === 'check') return { kind: 'checked', result: checkFile(message.path) };
    const report = await salvage(message.request, async (batch) => {
      const stored = new Promise<Restored>((resolve) => (onStored = resolve));
      await tell({ kind: 'rows', batch });
      return await stored;
    });
    return { kind: 'salvaged', report };
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) };
  }
}

process.on('message', (message: ToMending) => {
  if (message.kind === 'stored') onStored?.(message.restored);
  else
    void answer(message).then(async (last) => {
      await tell(last);
      process.disconnect();
    });
});
process.on('disconnect', () => process.exit(0));
