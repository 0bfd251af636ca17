import type { Seq } from '../../domain/brand.js';
import { REJECT_REASONS, type Rejected, type RejectReason } from '../../domain/rejection.js';
import type { Connection } from '../buffer-file.js';

export type StoredRejected = Rejected & { readonly seq: Seq };

export function openRejectedReads(db: Connection) {
  const select = 'select seq, received_at_ms as receivedAtMs, reason, detail, topic, payload from rejected';
  const newest = db.prepare<[number], StoredRejected>(`${select} order by seq desc limit ?`);
  const newestOfReason = db.prepare<[string, number], StoredRejected>(
    `${select} where reason = ? order by seq desc limit ?`,
  );
  const counter = db.prepare<[string], number>('select value from counter where name = ?').pluck();
  const reasons = Object.keys(REJECT_REASONS) as RejectReason[];

  return {
    rejected: ({ reason, limit }: { readonly reason?: RejectReason; readonly limit: number }) =>
      reason === undefined ? newest.all(limit) : newestOfReason.all(reason, limit),
    rejectedCounts: () =>
      Object.fromEntries(reasons.map((reason) => [reason, counter.get(`rejected:${reason}`) ?? 0])) as Record<
        RejectReason,
        number
      >,
  };
}
