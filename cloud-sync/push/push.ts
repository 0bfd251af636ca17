import type { LogId } from '../../agent/domain/brand.js';
import { type ErrorCode, WattwardenError } from '../../agent/domain/errors.js';
import { STREAM_NAMES, type StreamName, type StreamPosition, type Streams } from '../../agent/domain/stored.js';
import { encodeRows } from '../contract/array-literal.js';
import { STREAM_CONTRACT } from '../contract/streams.js';
import type { ApiFunction } from '../contract/version.js';

/** What push reads: each stream in the order of its positions. */
export interface PushSource {
  readonly logId: LogId;
  stream<S extends StreamName>(name: S, after: number, limit: number): readonly Streams[S][];
  /** How far the writer knows the stream to be at the centre. */
  settled(name: StreamName): StreamPosition;
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
  settle(stream: StreamName, position: StreamPosition): Promise<void> | void;
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

/** Rows and the range of positions that is said to be at the centre with them. */
interface Piece<S extends StreamName> {
  readonly after: number;
  readonly rows: readonly Streams[S][];
}

/** At least once from here, once at the centre: a batch may be sent again, and changes nothing then. */
export function createPush({ source, centre, settle, metrics, setAside, batchRows }: PushOptions): Push {
  /** Ahead of what the writer has committed, so that a turn never waits for it. */
  const accepted = new Map<StreamName, number>();

  function start(stream: StreamName): number {
    const { logId, upTo } = source.settled(stream);
    return Math.max(logId === source.logId ? upTo : 0, accepted.get(stream) ?? 0);
  }

  async function goOn(stream: StreamName, upTo: number): Promise<void> {
    accepted.set(stream, upTo);
    await settle(stream, { logId: source.logId, upTo });
  }

  async function send<S extends StreamName>(stream: S, { after, rows }: Piece<S>, signal: AbortSignal): Promise<void> {
    const upTo = lastPosition(stream, rows);
    await centre.call(`push_${stream}`, [source.logId, after, upTo, ...encodeRows(stream, rows)], signal);
    metrics?.sent(stream, rows.length);
    await goOn(stream, upTo);
  }

  async function pushStream<S extends StreamName>(stream: S, signal: AbortSignal): Promise<Pushed> {
    const after = start(stream);
    const rows = source.stream(stream, after, batchRows);
    const pieces = piecesOf(stream, after, rows).reverse();
    let sent = 0;
    let aside = 0;
    for (let calls = 0; calls < MAX_CALLS; calls += 1) {
      const piece = pieces.pop();
      if (piece === undefined) return { sent, more: rows.length === batchRows };
      try {
        await send(stream, piece, signal);
        sent += piece.rows.length;
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
        await goOn(stream, lastPosition(stream, piece.rows));
      }
    }
    return { sent, more: true };
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
