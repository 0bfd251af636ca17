import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/** The lines of a file, as they come in; `.gz` is unpacked. Whoever stops early leaves nothing open. */
export async function* linesOf(path: string): AsyncGenerator<string, void> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => input.destroy(error));
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // A damaged archive may still fail after its reader has given up at a line, when nobody waits any more.
  lines.on('error', () => undefined);
  try {
    yield* lines;
  } finally {
    file.destroy();
    input.destroy();
  }
}
