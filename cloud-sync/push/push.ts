import type { LogId } from '../../agent/domain/brand.js';
import { type ErrorCode, WattwardenError } from '../../agent/domain/errors.js';
import {
  addRange,
  boundRanges,
  endOf,
  gapsOf,
  joinRanges,
  MAX_RANGES,
  type Range,
  type Ranges,
} from '../../agent/domain/ranges.js';
import { type Settled, STREAM_NAMES, type StreamName, type Streams } from '../../agent/domain/stored.js';
import { encodeRows } from '../contract/array-literal.js';
import { STREAM_CONTRACT } from '../contract/streams.js';
import type { ApiFunction } from '../contract/version.js';

/** What push reads: each stream in the order of its positions. */
export interface PushSource {
  readonly logId: LogId;
  /** Rows beyond `after`, up to and with `upTo`. */
  stream<S extends StreamName>(name: S, after: number, limit: number, upTo: number): readonly Streams[S][];
  /** The last positions that were given. */
  head(): { readonly seq: number; readonly changeSeq: number };
  /** What the writer knows to be at the centre. */
  settled(name: StreamName): Settled;
}

export interface PushMetrics {
  sent(stream: StreamName, rows: number): void;
  /** One row was set aside. */
  rejected(stream: StreamName): void;
}

interface PushCentre {
  call(name: ApiFunction, values: readonly unknown[], signal?: AbortSignal): Promise<unknown>;
}

export interface PushOptions {
  readonly source: PushSource;
  readonly centre: PushCentre;
  /** Everything that is known to be at the centre, so that a later call says all that an earlier one did. */
  settle(stream: StreamName, settled: Settled): Promise<void> | void;
  readonly metrics?: PushMetrics;
  /** The centre will not have this row: the stream goes on after it, and the row stays in the buffer. */
  setAside?(stream: StreamName, row: Streams[StreamName], reason: string): void;
  readonly batchRows: number;
}

export interface Pushed {
  readonly sent: number;
  /** Another turn would find rows at once. */
  readonly more: boolean;
}

export interface Push {
  pushOnce(signal: AbortSignal): Promise<Pushed>;
}

/** To find one bad row takes two calls for each halving of a batch: several are found in a turn, but not any number. */
const MAX_CALLS = 64;
/** More bad rows than this are rather a fault of the centre: it is given the time of a back-off to be mended. */
const MAX_SET_ASIDE = 4;

/** As many batches may wait before the newest rows are sent ahead of them. */
const IN_ORDER_BATCHES = 4;

/** Rows and the range of positions that is said to be at the centre with them. */
interface Piece<S extends StreamName> {
  readonly after: number;
  readonly rows: readonly Streams[S][];
}

/**
 * At least once from here, once at the centre: a batch may be sent again, and changes nothing then.
 *
 * Each turn sends one batch of the newest rows of a stream and then one of its oldest. In ordinary times these are the
 * same rows. After an outage the newest go ahead of the backlog from one batch before the end of the log on, so that the
 * centre sees what is now while half of the link fills the gap that is left behind, from its beginning. What is at the
 * centre is therefore a short list of ranges; when the list is full, a stream is sent in order until a gap is filled.
 */
export function createPush({ source, centre, settle, metrics, setAside, batchRows }: PushOptions): Push {
  /** Ahead of what the writer has committed, so that a turn never waits for it. */
  const accepted = new Map<StreamName, Ranges>();

  function knownOf(stream: StreamName): Ranges {
    const { logId, ranges } = source.settled(stream);
    return joinRanges(logId === source.logId ? ranges : [], accepted.get(stream) ?? []);
  }

  async function note(stream: StreamName, range: Range): Promise<void> {
    const ranges = boundRanges(addRange(knownOf(stream), range));
    accepted.set(stream, ranges);
    await settle(stream, { logId: source.logId, ranges });
  }

  /** The newest part and the oldest that the centre lacks; one range while the stream is sent in order. */
  function partsOf(stream: StreamName): readonly [newest: Range, ...gaps: Range[]] {
    const { seq, changeSeq } = source.head();
    const head = stream === 'reading' ? seq : changeSeq;
    const ranges = knownOf(stream);
    const last = endOf(ranges);
    const overtakes = ranges.length < MAX_RANGES && isFarBehind(stream, last, head);
    const newest = { after: overtakes ? head - batchRows : last, upTo: head };
    const [gap] = gapsOf(addRange(ranges, newest));
    return gap === undefined ? [newest] : [newest, gap];
  }

  /** By rows: most changes of a stream's numbers belong to other streams. */
  function isFarBehind(stream: StreamName, last: number, head: number): boolean {
    if (head - last <= IN_ORDER_BATCHES * batchRows) return false;
    const page = source.stream(stream, last, batchRows, head);
    const end = page.length === batchRows ? lastPosition(stream, page) : head;
    return head - end > (IN_ORDER_BATCHES - 1) * batchRows;
  }

  async function send<S extends StreamName>(stream: S, { after, rows }: Piece<S>, signal: AbortSignal): Promise<void> {
    const upTo = lastPosition(stream, rows);
    await centre.call(`push_${stream}`, [source.logId, after, upTo, ...encodeRows(stream, rows)], signal);
    metrics?.sent(stream, rows.length);
  }

  /** One batch at most. */
  async function pushPart<S extends StreamName>(stream: S, part: Range, signal: AbortSignal): Promise<Pushed> {
    const rows = source.stream(stream, part.after, batchRows, part.upTo);
    const pieces = piecesOf(stream, part.after, rows).reverse();
    let sent = 0;
    let aside = 0;
    for (let calls = 0; calls < MAX_CALLS; calls += 1) {
      const piece = pieces.pop();
      if (piece === undefined) return { sent, more: rows.length === batchRows };
      const done = { after: part.after, upTo: lastPosition(stream, piece.rows) };
      try {
        await send(stream, piece, signal);
        sent += piece.rows.length;
        await note(stream, done);
      } catch (error) {
        if (!isAbout(error, 'centre.rejected_batch')) throw error;
        const [row] = piece.rows;
        if (row === undefined || piece.rows.length > 1) {
          pieces.push(...halves(stream, piece).reverse());
          continue;
        }
        if (aside === MAX_SET_ASIDE) throw error;
        aside += 1;
        metrics?.rejected(stream);
        setAside?.(stream, row, error.message);
        await note(stream, done);
      }
    }
    return { sent, more: true };
  }

  async function pushStream(stream: StreamName, signal: AbortSignal): Promise<Pushed> {
    const parts = partsOf(stream);
    const [newest] = parts;
    const ended = new Set<number>();
    let sent = 0;
    let more = false;
    for (const part of parts) {
      const pushed = await pushPart(stream, part, signal);
      sent += pushed.sent;
      more ||= pushed.more;
      if (!pushed.more) ended.add(part.upTo);
      // The numbers at the end of a gap may belong to no row any more.
      const isFilled = !pushed.more && part.upTo < endOf(knownOf(stream));
      if (isFilled) await note(stream, part);
    }
    // Where the newest numbers belong to no row, what waits before them is a gap all the same.
    const left = gapsOf(addRange(knownOf(stream), newest)).filter(({ upTo }) => !ended.has(upTo));
    return { sent, more: more || left.length > 0 };
  }

  return {
    async pushOnce(signal) {
      let sent = 0;
      let more = false;
      let failure: WattwardenError | undefined;
      for (const stream of STREAM_NAMES) {
        try {
          const pushed = await pushStream(stream, signal);
          sent += pushed.sent;
          more ||= pushed.more;
        } catch (error) {
          // What the centre holds against one stream must not keep the readings of another from it.
          if (!isAbout(error, 'centre.rejected_batch') && !isAbout(error, 'centre.busy')) throw error;
          failure ??= new WattwardenError(error.code, `${stream}: ${error.message}`, { cause: error });
        }
      }
      if (failure !== undefined) throw failure;
      return { sent, more };
    },
  };
}

const isAbout = (error: unknown, code: ErrorCode): error is WattwardenError =>
  error instanceof WattwardenError && error.code === code;

/**
 * Every reading has the number after the one before it: where numbers are missing the buffer has lost readings, and the
 * centre must not be told that it has them. A change that was overtaken by a later one is missing by design.
 */
function piecesOf<S extends StreamName>(stream: S, after: number, rows: readonly Streams[S][]): Piece<S>[] {
  if (rows.length === 0) return [];
  if (stream !== 'reading') return [{ after, rows }];
  const pieces: Piece<S>[] = [];
  let first = 0;
  for (let index = 1; index <= rows.length; index += 1) {
    if (index < rows.length && positionAt(stream, rows, index) === positionAt(stream, rows, index - 1) + 1) continue;
    pieces.push({ after: positionAt(stream, rows, first) - 1, rows: rows.slice(first, index) });
    first = index;
  }
  return pieces;
}

function halves<S extends StreamName>(stream: S, { after, rows }: Piece<S>): Piece<S>[] {
  const middle = Math.ceil(rows.length / 2);
  const before = rows.slice(0, middle);
  return [
    { after, rows: before },
    { after: lastPosition(stream, before), rows: rows.slice(middle) },
  ];
}

const lastPosition = <S extends StreamName>(stream: S, rows: readonly Streams[S][]): number =>
  positionAt(stream, rows, rows.length - 1);

function positionAt<S extends StreamName>(stream: S, rows: readonly Streams[S][], index: number): number {
  const row = rows[index];
  const [column] = STREAM_CONTRACT[stream].columns;
  return row === undefined ? 0 : Number(Reflect.get(row, column.field));
}
