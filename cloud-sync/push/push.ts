import type { LogId } from '../../agent/domain/brand.js';
import { WattwardenError } from '../../agent/domain/errors.js';
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
}

interface PushCentre {
  call(name: ApiFunction, values: readonly unknown[], signal?: AbortSignal): Promise<unknown>;
}

export interface PushOptions {
  readonly source: PushSource;
  readonly centre: PushCentre;
  settle(stream: StreamName, position: StreamPosition): Promise<void> | void;
  readonly metrics?: PushMetrics;
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

/** At least once from here, once at the centre: a batch may be sent again, and changes nothing then. */
export function createPush({ source, centre, settle, metrics, batchRows }: PushOptions): Push {
  /** Ahead of what the writer has committed, so that a turn never waits for it. */
  const accepted = new Map<StreamName, number>();

  function start(stream: StreamName): number {
    const { logId, upTo } = source.settled(stream);
    return Math.max(logId === source.logId ? upTo : 0, accepted.get(stream) ?? 0);
  }

  async function pushStream<S extends StreamName>(stream: S, signal: AbortSignal): Promise<number> {
    const after = start(stream);
    const rows = source.stream(stream, after, batchRows);
    if (rows.length === 0) return 0;
    const upTo = lastPosition(stream, rows);
    await centre.call(`push_${stream}`, [source.logId, after, upTo, ...encodeRows(stream, rows)], signal);
    accepted.set(stream, upTo);
    metrics?.sent(stream, rows.length);
    await settle(stream, { logId: source.logId, upTo });
    return rows.length;
  }

  return {
    async pushOnce(signal) {
      let sent = 0;
      let more = false;
      let rejected: WattwardenError | undefined;
      for (const stream of STREAM_NAMES) {
        try {
          const rows = await pushStream(stream, signal);
          sent += rows;
          more ||= rows === batchRows;
        } catch (error) {
          // What the centre holds against one stream must not keep the readings of another from it.
          if (!(error instanceof WattwardenError) || error.code !== 'centre.rejected_batch') throw error;
          rejected ??= new WattwardenError(error.code, `${stream}: ${error.message}`, { cause: error });
        }
      }
      if (rejected !== undefined) throw rejected;
      return { sent, more };
    },
  };
}

function lastPosition<S extends StreamName>(stream: S, rows: readonly Streams[S][]): number {
  const last = rows.at(-1);
  const [column] = STREAM_CONTRACT[stream].columns;
  return last === undefined ? 0 : Number(Reflect.get(last, column.field));
}
