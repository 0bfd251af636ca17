import { randomFillSync } from 'node:crypto';
import { rmSync, statfsSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';

/** A file that takes up room for the hour in which there is none: a full disk leaves no room to make room. */
export interface Ballast {
  readonly bytes: number;
  /** At once. False when there was none. */
  release(): boolean;
  /** As large as it should be; at the first failure what was written of it is deleted again. */
  fill(signal: AbortSignal): Promise<'filled' | 'failed'>;
}

/** Written and given to the disk in parts, so that a commit never waits behind all of it. */
const PART_BYTES = 1_048_576;

export const ballastPath = (bufferPath: string): string => `${bufferPath}.ballast`;

export function openBallast(path: string, wantedBytes: number): Ballast {
  let filling = false;
  const sizeNow = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

  function release(): boolean {
    const had = sizeNow() > 0;
    rmSync(path, { force: true });
    return had;
  }

  return {
    get bytes() {
      return filling ? 0 : sizeNow();
    },
    release,
    async fill(signal) {
      if (sizeNow() === wantedBytes) return 'filled';
      filling = true;
      try {
        await rm(path, { force: true });
        if (wantedBytes > 0) await write(path, wantedBytes, signal);
        return 'filled';
      } catch (error) {
        release();
        if (signal.aborted || codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') return 'failed';
        throw error;
      } finally {
        filling = false;
      }
    },
  };
}

/** The first steps of a start write a few pages each; with less they would fail one after the other. */
const ROOM_TO_START_BYTES = 1_048_576;

/** Where there is no room, or it turns out that there is none, the buffer is opened without the ballast. */
export function withBallast<T>(bufferPath: string, open: () => T): T {
  if (freeBytesAt(dirname(bufferPath)) < ROOM_TO_START_BYTES) openBallast(ballastPath(bufferPath), 0).release();
  try {
    return open();
  } catch (error) {
    if (!isWantOfRoom(error)) throw error;
    if (!openBallast(ballastPath(bufferPath), 0).release()) throw noRoom(error);
  }
  try {
    return open();
  } catch (error) {
    throw isWantOfRoom(error) ? noRoom(error) : error;
  }
}

/** A directory that is not there is for the opening to complain of. */
function freeBytesAt(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return Number.POSITIVE_INFINITY;
  }
}

const noRoom = (error: unknown): WattwardenError =>
  new WattwardenError('buffer.no_room', messageOf(error), { cause: error });

const WANT_OF_ROOM: readonly (string | undefined)[] = ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT'];

function isWantOfRoom(error: unknown): boolean {
  if (WANT_OF_ROOM.includes(codeOf(error))) return true;
  return error instanceof Error && error.cause !== undefined && isWantOfRoom(error.cause);
}

async function write(path: string, bytes: number, signal: AbortSignal): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    // Random, because a file system may give zeros no room.
    const part = randomFillSync(Buffer.alloc(Math.min(PART_BYTES, bytes)));
    for (let written = 0; written < bytes; written += part.length) {
      signal.throwIfAborted();
      await file.write(part, 0, Math.min(part.length, bytes - written));
      await file.datasync();
    }
  } finally {
    await file.close();
  }
}
