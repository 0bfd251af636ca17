import type { EpochMs, MeterId } from '../../domain/brand.js';
import type { QualityCount } from '../../domain/quality.js';
import type { Connection } from '../buffer-file.js';
import { DAY_MS, NO_METER } from '../quality-book.js';
import type { MeterKeys } from './meter-keys.js';

export interface QualityQuery {
  readonly fromMs: EpochMs;
  /** The day that holds this moment is the last one. */
  readonly toMs: EpochMs;
  readonly meter?: MeterId;
}

interface Row {
  readonly day: number;
  readonly meter: MeterId | null;
  readonly rule: QualityCount['rule'];
  readonly count: number;
  readonly detail: string;
}

export function openQualityReads(db: Connection, meterKeys: MeterKeys) {
  const select = (which: string) => `
    select q.day, m.name as meter, q.rule, q.count, q.detail from quality q left join meter m on m.id = q.meter
    where q.day between ? and ? ${which} order by q.day, q.meter, q.rule`;
  const ofAll = db.prepare<[number, number], Row>(select(''));
  const ofMeter = db.prepare<[number, number, number], Row>(select('and q.meter = ?'));
  const intervals = db.prepare<[], { readonly meter: MeterId; readonly intervalMs: number }>(
    `select m.name as meter, s.interval_ms as intervalMs from meter_state s join meter m on m.id = s.meter
     where s.interval_ms is not null`,
  );
  const countOf = ({ day, ...row }: Row): QualityCount => ({
    ...row,
    day: new Date(day * DAY_MS).toISOString().slice(0, 10),
  });

  return {
    *quality({ fromMs, toMs, meter }: QualityQuery): Iterable<QualityCount> {
      const days = [Math.floor(fromMs / DAY_MS), Math.floor(toMs / DAY_MS)] as const;
      const key = meter === undefined ? undefined : (meterKeys(meter) ?? NO_METER - 1);
      const rows = key === undefined ? ofAll.iterate(...days) : ofMeter.iterate(...days, key);
      for (const row of rows) yield countOf(row);
    },
    learnedIntervals: (): ReadonlyMap<MeterId, number> =>
      new Map(intervals.all().map(({ meter, intervalMs }) => [meter, intervalMs])),
  };
}
