import { stat } from 'node:fs/promises';
import { codeOf } from '../domain/errors.js';

/** A certificate is renewed weeks before it ends; a user who was removed should be out within seconds. */
const LOOK_EVERY_MS = 2_000;

/**
 * Calls `onChange` when one of the files has become another. It looks at them instead of being told: notices of the
 * file system miss what a rename, a mounted secret or another machine does.
 */
export function watchFiles(files: readonly string[], onChange: () => void, everyMs = LOOK_EVERY_MS): { close(): void } {
  let known: string | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const now = (await Promise.all(files.map(signature))).join();
    looking = false;
    const changed = known !== undefined && known !== now;
    known = now;
    if (changed) onChange();
  };
  void look();
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

async function signature(file: string): Promise<string> {
  try {
    const { mtimeMs, ino, size, mode } = await stat(file);
    return `${mtimeMs} ${ino} ${size} ${mode}`;
  } catch (error) {
    return codeOf(error) ?? 'unreadable';
  }
}
