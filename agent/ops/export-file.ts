import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { deflateSync, inflateSync } from 'node:zlib';
import { messageOf, WattwardenError } from '../domain/errors.js';
import type { Meter } from '../domain/meter.js';

/**
 * An export: MAGIC, then frames, each a letter, the length of its body, the SHA-256 of its body, and the body: JSON,
 * deflated. H once (head), R as often as needed (readings), S once (the signature over all hashes before it).
 */
const MAGIC = Buffer.from('wattwarden-export-1\n');
const HASH_BYTES = 32;
const FRAME_HEAD_BYTES = 1 + 4 + HASH_BYTES;
/** A frame of ours has 1,000 rows, some 20 KB; whoever claims more has no export. */
const MAX_FRAME_BYTES = 4 * 2 ** 20;
const MAX_INFLATED_BYTES = 16 * 2 ** 20;

type Letter = 'H' | 'R' | 'S';

export interface ExportHead {
  readonly gateway: string;
  readonly logId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly createdAtMs: number;
  readonly columns: readonly string[];
  readonly meters: readonly Meter[];
}

export interface Signature {
  readonly publicKey: string;
  readonly signature: string;
}

export interface ExportWriter {
  rows(rows: readonly unknown[]): void;
  /** Signs and gives the file its name; before that it has another. */
  finish(sign: (digest: Buffer) => Signature): void;
  abandon(): void;
}

export function createExport(file: string, head: ExportHead): ExportWriter {
  const part = `${file}.part`;
  const handle = openSync(part, 'w', 0o600);
  const digest = createHash('sha256');

  function frame(letter: Letter, body: unknown): void {
    const bytes = deflateSync(JSON.stringify(body));
    const start = Buffer.alloc(5);
    start.write(letter, 'latin1');
    start.writeUInt32BE(bytes.length, 1);
    const hash = hashOf(bytes);
    digest.update(start).update(hash);
    writeSync(handle, Buffer.concat([start, hash, bytes]));
  }

  writeSync(handle, MAGIC);
  frame('H', head);
  return {
    rows: (rows) => frame('R', rows),
    finish(sign) {
      frame('S', sign(digest.copy().digest()));
      fsyncSync(handle);
      closeSync(handle);
      renameSync(part, file);
    },
    abandon() {
      closeSync(handle);
      rmSync(part, { force: true });
    },
  };
}

export interface VerifiedExport {
  readonly head: ExportHead;
  readonly signature: Signature;
  readonly digest: Buffer;
}

/** Reads all of it and believes nothing before its end: a file that is cut short or changed anywhere is refused. */
export function checkExport(file: string): VerifiedExport {
  let head: ExportHead | undefined;
  let signed: VerifiedExport | undefined;
  const digest = createHash('sha256');
  for (const { letter, start, hash, body } of frames(file)) {
    if (signed !== undefined) throw unreadable(file, 'something follows the signature');
    if ((letter === 'H') !== (head === undefined)) throw unreadable(file, 'the head is not where it belongs');
    if (letter === 'H') head = parseHead(file, body);
    if (letter === 'S' && head !== undefined) {
      signed = { head, signature: parseSignature(file, body), digest: digest.copy().digest() };
    }
    digest.update(start).update(hash);
  }
  if (signed === undefined) throw unreadable(file, 'it is cut short: the signature at its end is missing');
  return signed;
}

/** The readings of a file that was checked, a frame at a time. */
export function* exportedRows(file: string): Iterable<readonly unknown[]> {
  for (const { letter, body } of frames(file)) {
    if (letter !== 'R') continue;
    if (!Array.isArray(body)) throw unreadable(file, 'rows that are no list');
    yield body;
  }
}

interface Frame {
  readonly letter: Letter;
  readonly start: Buffer;
  readonly hash: Buffer;
  readonly body: unknown;
}

function* frames(file: string): Iterable<Frame> {
  const handle = open(file);
  try {
    if (!read(handle, MAGIC.length).equals(MAGIC)) throw unreadable(file, 'it is no export of this version');
    for (let number = 1; ; number += 1) {
      const front = read(handle, FRAME_HEAD_BYTES);
      if (front.length === 0) return;
      if (front.length < FRAME_HEAD_BYTES) throw unreadable(file, `it is cut short in block ${number}`);
      const letter = letterOf(front.toString('latin1', 0, 1));
      const length = front.readUInt32BE(1);
      if (letter === undefined || length > MAX_FRAME_BYTES) throw unreadable(file, `block ${number} is damaged`);
      const bytes = read(handle, length);
      if (bytes.length < length) throw unreadable(file, `it is cut short in block ${number}`);
      const hash = front.subarray(5);
      if (!hashOf(bytes).equals(hash)) throw unreadable(file, `block ${number} is damaged`);
      yield { letter, start: front.subarray(0, 5), hash, body: bodyOf(file, bytes) };
    }
  } finally {
    closeSync(handle);
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, messageOf(error), error);
  }
}

function read(handle: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(handle, bytes, filled, length - filled, null);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

function bodyOf(file: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(inflateSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8'));
  } catch (error) {
    throw unreadable(file, messageOf(error), error);
  }
}

function parseHead(file: string, body: unknown): ExportHead {
  const head = body as ExportHead;
  const isHead =
    typeof body === 'object' &&
    body !== null &&
    typeof head.gateway === 'string' &&
    Number.isSafeInteger(head.fromMs) &&
    Number.isSafeInteger(head.toMs) &&
    Array.isArray(head.columns) &&
    Array.isArray(head.meters);
  if (!isHead) throw unreadable(file, 'its head says not what is in it');
  return head;
}

function parseSignature(file: string, body: unknown): Signature {
  const { publicKey, signature } = (body ?? {}) as Partial<Signature>;
  if (typeof publicKey !== 'string' || typeof signature !== 'string') throw unreadable(file, 'it is not signed');
  return { publicKey, signature };
}

const letterOf = (letter: string): Letter | undefined =>
  letter === 'H' || letter === 'R' || letter === 'S' ? letter : undefined;

const hashOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

const unreadable = (file: string, why: string, cause?: unknown): WattwardenError =>
  new WattwardenError('export.unreadable', `${file}: ${why}`, { cause });
