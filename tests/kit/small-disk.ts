import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own that is soon full: a small tmpfs. */
export interface SmallDisk {
  readonly dir: string;
  freeBytes(): number;
  /** Something else takes all room but so many bytes; call it again to leave another rest. */
  fill(leavingBytes?: number): void;
  /** What `fill` took is free again. */
  free(): void;
  close(): void;
}

/** Only root may mount, and not in every container. */
export function canMount(): boolean {
  try {
    openSmallDisk(1_048_576).close();
    return true;
  } catch {
    return false;
  }
}

const PART_BYTES = 65_536;

export function openSmallDisk(bytes: number): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'wattwarden-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch (error) {
    rmSync(dir, { recursive: true });
    throw error;
  }
  const file = join(dir, 'something-else');
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  };
  return {
    dir,
    freeBytes,
    fill(leavingBytes = 0) {
      const descriptor = openSync(file, 'a');
      const part = new Uint8Array(PART_BYTES);
      try {
        while (freeBytes() > leavingBytes) {
          writeSync(descriptor, part, 0, Math.min(PART_BYTES, Math.max(1, freeBytes() - leavingBytes)));
        }
      } finally {
        closeSync(descriptor);
      }
    },
    free() {
      if (statSync(file, { throwIfNoEntry: false }) !== undefined) truncateSync(file);
    },
    close() {
      execFileSync('umount', ['-l', dir], { stdio: 'ignore' });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
