import { WRITE_CAUSES, type WriteCause, type WrittenBytes } from '../domain/disk.js';
import type { Connection } from './buffer-file.js';

/** Bytes that the writer has had written to the WAL since the start, by cause. */
export interface WriteMeter {
  because<T>(cause: WriteCause, work: () => T): T;
  /** After each commit. */
  committed(): void;
  /** What another thread has written. */
  add(cause: WriteCause, bytes: number): void;
  readonly bytes: WrittenBytes;
}

/** Stand before the WAL and before each page in it. */
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** What the disk is given at a time: a frame lies across two of them, and both are written with its commit. */
const DISK_PAGE_BYTES = 4_096;

/** Asks SQLite for the length of the WAL after each commit, which costs some two microseconds and touches no disk. */
export function openWriteMeter(db: Connection): WriteMeter {
  const look = db.prepare<[], { readonly log: number }>('pragma wal_checkpoint(NOOP)');
  const frameBytes = Number(db.pragma('page_size', { simple: true })) + FRAME_HEADER_BYTES;
  const framesNow = (): number => Math.max(0, look.get()?.log ?? 0);
  const bytes: Record<WriteCause, number> = Object.fromEntries(WRITE_CAUSES.map((cause) => [cause, 0])) as Record<
    WriteCause,
    number
  >;
  function writtenBetween(from: number, to: number): number {
    if (to === from) return 0;
    const first = Math.floor((WAL_HEADER_BYTES + from * frameBytes) / DISK_PAGE_BYTES);
    const last = Math.floor((WAL_HEADER_BYTES + to * frameBytes - 1) / DISK_PAGE_BYTES);
    return (last - first + 1) * DISK_PAGE_BYTES;
  }

  let cause: WriteCause = 'other';
  let frames = framesNow();

  return {
    because(why, work) {
      const before = cause;
      cause = why;
      try {
        return work();
      } finally {
        cause = before;
      }
    },
    committed() {
      const now = framesNow();
      // A shorter WAL was begun anew by this commit.
      bytes[cause] += writtenBetween(now >= frames ? frames : 0, now);
      frames = now;
    },
    add(why, more) {
      bytes[why] += more;
    },
    bytes,
  };
}
