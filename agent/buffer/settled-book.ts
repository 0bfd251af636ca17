import type { LogId } from '../domain/brand.js';
import { addRange, boundRanges, joinRanges, prefixOf, type Range, type Ranges } from '../domain/ranges.js';
import { STREAM_NAMES, type StreamName } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

/**
 * What the centre has of each stream. The range from the beginning is a cursor, as for every other follower of the log;
 * a row stands for each range beyond it, while live rows overtake a backlog.
 */
export interface SettledBook {
  of(stream: StreamName): Ranges;
  /** Writes what is new of these; nothing beyond `last`, which the log has not given yet. */
  settle(stream: StreamName, ranges: Ranges, last: number): void;
}

export function openSettledBook(db: Connection, transactions: Transactions): SettledBook {
  const { logId } = transactions;
  const read = openSettledReads(db, logId);
  const deleteBeyond = db.prepare('delete from settled where log_id = ? and stream = ?');
  const insert = db.prepare('insert into settled (log_id, stream, after, up_to) values (?, ?, ?, ?)');
  const known = new Map<StreamName, Ranges>(STREAM_NAMES.map((stream) => [stream, read(stream)]));
  const of = (stream: StreamName): Ranges => known.get(stream) ?? [];

  return {
    of,
    settle(stream, ranges, last) {
      const given = ranges.map(({ after, upTo }) => ({ after, upTo: Math.min(upTo, last) }));
      const next = boundRanges(joinRanges(of(stream), given));
      if (isSame(next, of(stream))) return;
      transactions.run(() => {
        transactions.advance(`settled:${stream}`, prefixOf(next));
        deleteBeyond.run(logId, stream);
        for (const { after, upTo } of next) if (after > 0) insert.run(logId, stream, after, upTo);
      });
      known.set(stream, next);
    },
  };
}

/** In one statement, so that a range that joins the beginning meanwhile is seen in one place or the other. */
export function openSettledReads(db: Connection, logId: LogId): (stream: StreamName) => Ranges {
  const select = db.prepare<[string, string, string, string], Range>(
    `select 0 as after, position as upTo from cursor where log_id = ? and name = ?
     union all select after, up_to as upTo from settled where log_id = ? and stream = ?`,
  );
  return (stream) => select.all(logId, `settled:${stream}`, logId, stream).reduce<Ranges>(addRange, []);
}

const isSame = (a: Ranges, b: Ranges): boolean =>
  a.length === b.length && a.every(({ after, upTo }, at) => b[at]?.after === after && b[at].upTo === upTo);
