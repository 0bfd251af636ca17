import type { Rejected } from '../domain/rejection.js';
import type { Connection } from './buffer-file.js';
import { lastSeqOf } from './cursors.js';
import type { Transactions } from './transactions.js';

/** Refused input, as it came, within two bounds: the oldest make room. Everything only inside a transaction. */
export interface RejectedLog {
  append(rejected: readonly Rejected[]): void;
  /** At most so many rows at once: a lowered limit must not delete a million. */
  trim(maxRows: number): number;
}

export interface RejectedBounds {
  readonly maxRejected: number;
  readonly maxRejectedBytes: number;
}

interface Sized {
  readonly seq: number;
  readonly bytes: number;
}

/** What a row takes beside its texts. */
const ROW_BYTES = 64;
const BYTES = `octet_length(payload) + octet_length(topic) + octet_length(detail) + ${ROW_BYTES}`;
/** Rows that one new row may push out: the longest payload takes the room of about so many of the shortest. */
const ROWS_PER_ROW = 1_024;
const MAX_STEP_ROWS = 10_000;

export function openRejectedLog(
  db: Connection,
  transactions: Transactions,
  { maxRejected, maxRejectedBytes }: RejectedBounds,
): RejectedLog {
  const insert = db.prepare<unknown[], number>(
    `insert into rejected (received_at_ms, reason, detail, topic, payload) values (?, ?, ?, ?, ?) returning ${BYTES}`,
  );
  insert.pluck();
  const oldest = db.prepare<[number], Sized>(`select seq, ${BYTES} as bytes from rejected order by seq limit ?`);
  const deleteUpTo = db.prepare('delete from rejected where seq <= ?');
  const last = lastSeqOf(db, 'rejected');

  // The lengths stand at the beginning of each row, so this reads no payloads.
  let bytes = db.prepare<[], number>(`select coalesce(sum(${BYTES}), 0) from rejected`).pluck().get() ?? 0;
  let before = bytes;
  transactions.onBegin(() => {
    before = bytes;
  });
  transactions.onRollback(() => {
    bytes = before;
  });

  function trim(maxRows: number): number {
    const firstKept = last() - maxRejected + 1;
    let end: Sized | undefined;
    for (const row of oldest.iterate(maxRows)) {
      if (row.seq >= firstKept && bytes <= maxRejectedBytes) break;
      bytes -= row.bytes;
      end = row;
    }
    return end === undefined ? 0 : deleteUpTo.run(end.seq).changes;
  }

  return {
    append(rejected) {
      for (const { receivedAtMs, reason, detail, topic, payload } of rejected) {
        bytes += insert.get(Math.floor(receivedAtMs), reason, detail, topic, payload) ?? 0;
        transactions.count(`rejected:${reason}`, 1);
      }
      if (rejected.length > 0) trim(Math.min(MAX_STEP_ROWS, ROWS_PER_ROW * rejected.length));
    },
    trim,
  };
}
