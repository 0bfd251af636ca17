import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { openBuffer } from '../../agent/buffer/buffer.js';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { systemClock } from '../../agent/domain/clock.js';
import { silentLogger } from '../../agent/domain/log.js';
import type { Reading } from '../../agent/domain/reading.js';

/** `closed` in order, everything in the file; `marked`: the same, but nobody has noted the end; `killed`: as a power cut leaves it, its last rows in the WAL alone. */
export type Ending = 'closed' | 'marked' | 'killed';

const METERS = ['m1', 'm2', 'm3'] as MeterId[];
const ROUNDS = 3_000;
/** The last of them, which a killed buffer has in its WAL. */
const ROUNDS_IN_WAL = 500;
const ROUNDS_IN_A_COMMIT = 20;
const FILES = ['', '-wal', '-shm', '.in-use'] as const;
const OPTIONS = {
  clock: systemClock,
  log: silentLogger,
  slotGraceMs: 60_000,
  maxRejected: 1_000,
  maxRejectedBytes: 1e7,
  retentionMs: 400 * 86_400_000,
  keepUnsettled: false,
} as const;

/** Some hours of three meters, with slots and refused payloads; gives the readings as `readingsIn` does. */
export function fillBuffer(path: string, ending: Ending = 'closed'): ReadonlySet<string> {
  const beganMs = Date.now() - ROUNDS * 10_000;
  const read = (meter: MeterId, index: number, round: number): Reading => {
    const takenAtMs = epochMs(beganMs + round * 10_000);
    const measured = { powerW: 100 * (index + 1), importWh: round * (index + 1) };
    return { meter, takenAtMs, timeSource: 'meter', receivedAtMs: takenAtMs, flags: 0, ...measured };
  };
  const commit = (buffer: ReturnType<typeof openBuffer>, from: number): void => {
    const rounds = Array.from({ length: ROUNDS_IN_A_COMMIT }, (_, index) => from + index);
    const readings = rounds.flatMap((round) => METERS.map((meter, index) => read(meter, index, round)));
    const receivedAtMs = epochMs(beganMs + from * 10_000);
    const payload = Buffer.alloc(9_000, 'x');
    const refused = { receivedAtMs, topic: 't', payload, reason: 'not_json' as const, detail: `${from}` };
    buffer.commit({ readings, rejected: from % 200 === 0 ? [refused] : [] });
    while (buffer.closeSlots(receivedAtMs, 100).more);
  };
  const first = openBuffer({ ...OPTIONS, path });
  for (let round = 0; round < ROUNDS - ROUNDS_IN_WAL; round += ROUNDS_IN_A_COMMIT) commit(first, round);
  first.close();
  moveWal(path);
  const second = openBuffer({ ...OPTIONS, path });
  for (let round = ROUNDS - ROUNDS_IN_WAL; round < ROUNDS; round += ROUNDS_IN_A_COMMIT) commit(second, round);
  if (ending === 'killed') {
    for (const suffix of FILES) copyFileSync(path + suffix, `${path}.${suffix}kept`);
    second.close();
    for (const suffix of FILES) renameSync(`${path}.${suffix}kept`, path + suffix);
  } else {
    second.close();
    moveWal(path);
    if (ending === 'marked') writeFileSync(`${path}.in-use`, '');
  }
  return readingsIn(path);
}

/** A buffer of somebody else, and its WAL with the one reading in it. */
export function fillForeign(path: string): void {
  const buffer = openBuffer({ ...OPTIONS, path });
  const takenAtMs = systemClock.now();
  const reading = { meter: 'stranger' as MeterId, takenAtMs, receivedAtMs: takenAtMs, timeSource: 'meter' as const };
  buffer.commit({ readings: [{ ...reading, powerW: 1, flags: 0 }], rejected: [] });
  copyFileSync(`${path}-wal`, `${path}.kept`);
  buffer.close();
  renameSync(`${path}.kept`, `${path}-wal`);
}

/** A page is destroyed in the file: one that stands in the WAL too would be read from there. */
function moveWal(path: string): void {
  const raw = new Database(path);
  raw.pragma('wal_checkpoint(TRUNCATE)');
  raw.close();
}

/** Each by its meter and time. */
export function readingsIn(path: string): ReadonlySet<string> {
  const reader = openReader(path);
  try {
    return new Set(reader.stream('reading', 0, 1e6).map(({ meter, takenAtMs }) => `${meter} ${takenAtMs}`));
  } finally {
    reader.close();
  }
}
