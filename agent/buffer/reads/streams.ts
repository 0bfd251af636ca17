import type { Statement } from 'better-sqlite3';
import type { StreamName, Streams } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import { SELECT_ANOMALIES, SELECT_FORECASTS, SELECT_READINGS, selectSlots } from './columns.js';
import type { UnsentDays } from './unsent-days.js';

/** Counting further would take longer than the number is worth. */
const MAX_COUNTED = 1_000_000;

const streams = (slotMs: number) =>
  ({
    reading: { select: SELECT_READINGS, table: 'reading', number: 'seq', position: 'r.seq' },
    slot: { select: selectSlots(slotMs), table: 'slot', number: 'change_seq', position: 's.change_seq' },
    forecast: { select: SELECT_FORECASTS, table: 'forecast', number: 'change_seq', position: 'f.change_seq' },
    anomaly: { select: SELECT_ANOMALIES, table: 'anomaly', number: 'change_seq', position: 'a.change_seq' },
  }) as const satisfies Record<StreamName, object>;

interface Parts {
  readonly slotMs: number;
  readonly unsent: UnsentDays;
  readonly settledUpTo: (name: StreamName) => number;
}

export function openStreamReads(db: Connection, { slotMs, unsent, settledUpTo }: Parts) {
  const STREAMS = streams(slotMs);
  const page = <S extends StreamName>(name: S) => {
    const { select, position } = STREAMS[name];
    return db.prepare<[number, number], Streams[S]>(`${select} where ${position} > ? order by ${position} limit ?`);
  };
  const waiting = (name: StreamName) => {
    const { table, number } = STREAMS[name];
    return db
      .prepare<[number], number>(
        `select count(*) from (select 1 from ${table} where ${number} > ? limit ${MAX_COUNTED})`,
      )
      .pluck();
  };
  const pages: { readonly [S in StreamName]: Statement<[number, number], Streams[S]> } = {
    reading: page('reading'),
    slot: page('slot'),
    forecast: page('forecast'),
    anomaly: page('anomaly'),
  };
  const counts = {
    reading: waiting('reading'),
    slot: waiting('slot'),
    forecast: waiting('forecast'),
    anomaly: waiting('anomaly'),
  };
  const backlogOf = (name: StreamName): number => {
    const after = settledUpTo(name);
    return (counts[name].get(after) ?? 0) + (name === 'slot' ? unsent.count(after, MAX_COUNTED) : 0);
  };
  type Read = { readonly [S in StreamName]: (after: number, limit: number) => readonly Streams[S][] };
  const reads: Read = {
    reading: (after, limit) => pages.reading.all(after, limit),
    slot: (after, limit) => unsent.among(pages.slot.all(after, limit), after, limit),
    forecast: (after, limit) => pages.forecast.all(after, limit),
    anomaly: (after, limit) => pages.anomaly.all(after, limit),
  };

  return {
    stream<S extends StreamName>(name: S, after: number, limit: number): readonly Streams[S][] {
      return reads[name](after, limit);
    },
    backlog: (): Record<StreamName, number> => ({
      reading: backlogOf('reading'),
      slot: backlogOf('slot'),
      forecast: backlogOf('forecast'),
      anomaly: backlogOf('anomaly'),
    }),
  };
}
