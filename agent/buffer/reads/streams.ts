import type { Statement } from 'better-sqlite3';
import { endOf, gapsOf, type Range, type Ranges } from '../../domain/ranges.js';
import type { StreamName, Streams } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import { HELD_FROM } from '../placement.js';
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
  readonly settled: (name: StreamName) => Ranges;
}

export function openStreamReads(db: Connection, { slotMs, unsent, settled }: Parts) {
  const STREAMS = streams(slotMs);
  const page = <S extends StreamName>(name: S) => {
    const { select, position } = STREAMS[name];
    return db.prepare<[number, number, number], Streams[S]>(
      `${select} where ${position} > ? and ${position} <= ? order by ${position} limit ?`,
    );
  };
  const waiting = (name: StreamName) => {
    const { table, number } = STREAMS[name];
    return db
      .prepare<[number, number], number>(
        `select count(*) from (select 1 from ${table} where ${number} > ? and ${number} <= ? limit ${MAX_COUNTED})`,
      )
      .pluck();
  };
  const placed = db.prepare<[number, number, number], Streams['reading']>(
    `${SELECT_READINGS} where r.seq > ? and r.seq <= min(?, coalesce((${HELD_FROM}) - 1, 9e15)) order by r.seq limit ?`,
  );
  const pages: { readonly [S in StreamName]: Statement<[number, number, number], Streams[S]> } = {
    // What waits for its time is nobody's to send.
    reading: placed,
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
  function backlogOf(name: StreamName): number {
    const ranges = settled(name);
    const waiting = [...gapsOf(ranges), { after: endOf(ranges), upTo: Number.MAX_SAFE_INTEGER }];
    return waiting.reduce((rows, part) => rows + countIn(name, part), 0);
  }
  function countIn(name: StreamName, { after, upTo }: Range): number {
    const open = counts[name].get(after, upTo) ?? 0;
    return name === 'slot' ? open + unsent.count({ after, upTo }, MAX_COUNTED) : open;
  }
  type Read = { readonly [S in StreamName]: (part: Range, limit: number) => readonly Streams[S][] };
  const reads: Read = {
    reading: ({ after, upTo }, limit) => pages.reading.all(after, upTo, limit),
    slot: (part, limit) => unsent.among(pages.slot.all(part.after, part.upTo, limit), part, limit),
    forecast: ({ after, upTo }, limit) => pages.forecast.all(after, upTo, limit),
    anomaly: ({ after, upTo }, limit) => pages.anomaly.all(after, upTo, limit),
  };

  return {
    stream<S extends StreamName>(
      name: S,
      after: number,
      limit: number,
      upTo = Number.MAX_SAFE_INTEGER,
    ): readonly Streams[S][] {
      return reads[name]({ after, upTo }, limit);
    },
    backlog: (): Record<StreamName, number> => ({
      reading: backlogOf('reading'),
      slot: backlogOf('slot'),
      forecast: backlogOf('forecast'),
      anomaly: backlogOf('anomaly'),
    }),
  };
}
