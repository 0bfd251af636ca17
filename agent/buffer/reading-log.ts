import { type EpochMs, type MeterId, type Seq, seq } from '../domain/brand.js';
import type { Reading, TimeSource } from '../domain/reading.js';
import { SCALE, type StoredReading } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import { lastSeqOf } from './cursors.js';
import { SELECT_READINGS } from './reads/columns.js';
import type { LogRow } from './slot-book.js';

/** Where a row stands among the starts of this machine, for the day its clock turns out to have been wrong. */
export interface Moment {
  readonly boot: number;
  readonly monotonicMs: number;
}

export interface ReadingLog {
  /** Only inside a transaction. */
  append(reading: Reading, meter: number, moment: Moment): LogRow;
  lastSeq(): Seq;
  /** Rows from `from` on, in bounded pages. */
  replay(from: number): Iterable<LogRow>;
  recent(limitPerMeter: number, meters: number): readonly Reading[];
}

/** Rows per page when the log is read through. */
const PAGE_ROWS = 5_000;
/** A silent meter has no rows at the end of the log; the search for them ends here. */
const MAX_RECENT_ROWS = 500_000;

const TIME_SOURCES = ['meter', 'gateway'] as const satisfies readonly TimeSource[];

export function openReadingLog(db: Connection): ReadingLog {
  const insert = db.prepare(
    `insert into reading (meter, taken_at_ms, time_source, received_at_ms, boot, monotonic_ms, power_dw, import_dwh,
       export_dwh, voltage_cv, current_ma, power_factor_pm, frequency_chz, flags) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
  );
  const page = db.prepare<[number, number], LogRow>(
    `select seq, meter, taken_at_ms as takenAtMs, power_dw as powerDw, import_dwh as importDwh, voltage_cv as voltageCv, flags
     from reading where seq >= ? order by seq limit ?`,
  );
  const tail = db.prepare<[number, number], StoredReading>(
    `${SELECT_READINGS} where r.seq < ? order by r.seq desc limit ?`,
  );
  const lastOfMeters = db.prepare<[], StoredReading>(
    `${SELECT_READINGS} where r.seq in (select last_seq from meter_state where last_seq is not null) order by r.seq`,
  );
  const last = lastSeqOf(db, 'reading');

  return {
    append(reading, meter, { boot, monotonicMs }) {
      const takenAtMs = Math.floor(reading.takenAtMs);
      const powerDw = SCALE.powerDw.pack(reading.powerW);
      const importDwh = SCALE.energyDwh.pack(reading.importWh);
      const voltageCv = SCALE.voltageCv.pack(reading.voltageV);
      const { lastInsertRowid } = insert.run(
        meter,
        takenAtMs,
        TIME_SOURCES.indexOf(reading.timeSource),
        Math.floor(reading.receivedAtMs),
        boot,
        monotonicMs,
        powerDw,
        importDwh,
        SCALE.energyDwh.pack(reading.exportWh),
        voltageCv,
        SCALE.currentMa.pack(reading.currentA),
        SCALE.powerFactorPm.pack(reading.powerFactor),
        SCALE.frequencyChz.pack(reading.frequencyHz),
        reading.flags,
      );
      return { seq: Number(lastInsertRowid), meter, takenAtMs, powerDw, importDwh, voltageCv, flags: reading.flags };
    },
    lastSeq: () => seq(last()),
    *replay(from) {
      for (let next = from; ; ) {
        const rows = page.all(next, PAGE_ROWS);
        yield* rows;
        const end = rows.at(-1);
        if (end === undefined) return;
        next = end.seq + 1;
      }
    },
    recent(limitPerMeter, meters) {
      const kept: Reading[] = [];
      const counts = new Map<MeterId, number>();
      const maxRows = Math.min(MAX_RECENT_ROWS, Math.max(PAGE_ROWS, 4 * limitPerMeter * meters));
      let before = last() + 1;
      for (let scanned = 0; scanned < maxRows && kept.length < limitPerMeter * meters; scanned += PAGE_ROWS) {
        const rows = tail.all(before, PAGE_ROWS);
        for (const row of rows) {
          const count = counts.get(row.meter) ?? 0;
          if (count >= limitPerMeter) continue;
          counts.set(row.meter, count + 1);
          kept.push(readingOf(row));
        }
        before = rows.at(-1)?.seq ?? 0;
      }
      // A meter that has been quiet for long keeps its register: its last row is known with its slots.
      const quiet = lastOfMeters.all().filter(({ meter }) => !counts.has(meter));
      return [...quiet.map(readingOf), ...kept.reverse()];
    },
  };
}

export function readingOf(row: StoredReading): Reading {
  const measured = {
    powerW: SCALE.powerDw.unpack(row.powerDw),
    importWh: SCALE.energyDwh.unpack(row.importDwh),
    exportWh: SCALE.energyDwh.unpack(row.exportDwh),
    voltageV: SCALE.voltageCv.unpack(row.voltageCv),
    currentA: SCALE.currentMa.unpack(row.currentMa),
    powerFactor: SCALE.powerFactorPm.unpack(row.powerFactorPm),
    frequencyHz: SCALE.frequencyChz.unpack(row.frequencyChz),
  };
  const present = Object.fromEntries(Object.entries(measured).filter(([, value]) => value !== undefined));
  const { meter, timeSource, flags } = row;
  return {
    meter,
    timeSource,
    flags,
    takenAtMs: row.takenAtMs as EpochMs,
    receivedAtMs: row.receivedAtMs as EpochMs,
    ...present,
  };
}
