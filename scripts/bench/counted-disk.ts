import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { figuresOf } from './process-figures.js';

const PROBE_BYTES = 1_048_576;

/**
 * Writes to the directory and looks whether the kernel has counted it: in a tmpfs, in some overlays and some containers
 * it counts nothing, and a figure of bytes would be a good one for no reason.
 */
export function refuseUncountedDisk(dir: string): void {
  const file = join(dir, 'probe');
  const before = figuresOf('self').writtenBytes;
  const handle = openSync(file, 'w');
  try {
    writeSync(handle, Buffer.alloc(PROBE_BYTES, 0x5a));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
    rmSync(file);
  }
  const counted = figuresOf('self').writtenBytes - before;
  if (counted >= PROBE_BYTES) return;
  const type = `0x${statfsSync(dir).type.toString(16)}`;
  throw new Error(
    `${dir} does not report what is written to it: ${counted} of ${PROBE_BYTES} bytes counted (file system ${type}). ` +
      'Name a directory on a disk with --dir.',
  );
}
