import { type EpochMs, type MeterId, type Seq, seq } from '../domain/brand.js';
import type { Reading, TimeSource } from '../domain/reading.js';
import { SCALE, type StoredReading } from '../domain/stored.js';
import { readingOf } from '../domain/stored-reading.js';
import type { Connection } from './buffer-file.js';
import { SELECT_NUMBERS_BEFORE, SELECT_READINGS, TAKEN_AT } from './reads/columns.js';
import { openRowNumbers } from './row-numbers.js';
import type { LogRow } from './slot-book.js';
import type { Transactions } from './transactions.js';

/** Where a row stands in the gateway's time, for the day that turns out to have been wrong. */
export interface Moment {
  readonly boot: number;
  /** What the gateway's time of this row is off by, as far as it is known already. */
  readonly offsetMs: number;
  /** Its time is not known: it waits. */
  readonly isHeld: boolean;
}

/** How many readings are read again at the most, of each meter and of all. */
export interface RecentLimits {
  readonly ofEach: number;
  readonly together: number;
}

export interface ReadingLog {
  /** Only inside a transaction. */
  append(reading: Reading, meter: number, moment: Moment): LogRow;
  lastSeq(): Seq;
  /** For a row that is written elsewhere. Only inside a transaction. */
  nextSeq(): number;
  /** Rows from `from` to before `end`, in bounded pages. */
  replay(from: number, end: number): Iterable<LogRow>;
  recent(limits: RecentLimits): readonly Reading[];
}

/** Rows per page when the log is read through. */
const PAGE_ROWS = 5_000;
/** A silent meter has no rows at the end of the log; the search for them ends here. */
const MAX_RECENT_ROWS = 500_000;

const TIME_SOURCES = ['meter', 'gateway'] as const satisfies readonly TimeSource[];

/** As SELECT_NUMBERS_BEFORE gives it. */
type NumberedRow = readonly [
  seq: Seq,
  meter: number,
  takenAtMs: EpochMs,
  timeSource: number,
  receivedAtMs: EpochMs,
  powerDw: number | null,
  importDwh: number | null,
  exportDwh: number | null,
  voltageCv: number | null,
  currentMa: number | null,
  powerFactorPm: number | null,
  frequencyChz: number | null,
  flags: number,
];

function storedOf(row: NumberedRow, meter: MeterId): StoredReading {
  return {
    seq: row[0],
    meter,
    takenAtMs: row[2],
    timeSource: TIME_SOURCES[row[3]] ?? 'gateway',
    receivedAtMs: row[4],
    powerDw: row[5],
    importDwh: row[6],
    exportDwh: row[7],
    voltageCv: row[8],
    currentMa: row[9],
    powerFactorPm: row[10],
    frequencyChz: row[11],
    flags: row[12],
  };
}

export function openReadingLog(db: Connection, transactions: Transactions): ReadingLog {
  // monotonic_ms says nothing that received_at_ms does not, since the gateway has a time of its own that never jumps
  // within a boot; a zero takes no room.
  const insert = db.prepare(
    `insert into reading (seq, meter, taken_at_ms, time_source, received_at_ms, boot, monotonic_ms, power_dw, import_dwh,
       export_dwh, voltage_cv, current_ma, power_factor_pm, frequency_chz, flags) values (?,?,?,?,?,?,0,?,?,?,?,?,?,?,?)`,
  );
  const page = db.prepare<[number, number, number], LogRow>(
    `select r.seq, r.meter, ${TAKEN_AT} as takenAtMs, r.power_dw as powerDw, r.import_dwh as importDwh,
       r.voltage_cv as voltageCv, r.flags
     from reading r join boot b on b.id = r.boot where r.seq >= ? and r.seq < ? order by r.seq limit ?`,
  );
  const tail = db.prepare<[number, number], string>(SELECT_NUMBERS_BEFORE).pluck();
  const names = db.prepare<[], [number, MeterId]>('select id, name from meter').raw();
  const lastOfMeters = db.prepare<[], StoredReading>(
    `${SELECT_READINGS} where r.seq in (select last_seq from meter_state where last_seq is not null) order by r.seq`,
  );
  const numbers = openRowNumbers(db, transactions);

  return {
    append(reading, meter, { boot, offsetMs }) {
      const takenAtMs = Math.floor(reading.takenAtMs);
      const powerDw = SCALE.powerDw.pack(reading.powerW);
      const importDwh = SCALE.energyDwh.pack(reading.importWh);
      const voltageCv = SCALE.voltageCv.pack(reading.voltageV);
      const seq = numbers.next();
      insert.run(
        seq,
        meter,
        takenAtMs,
        TIME_SOURCES.indexOf(reading.timeSource),
        Math.floor(reading.receivedAtMs),
        boot,
        powerDw,
        importDwh,
        SCALE.energyDwh.pack(reading.exportWh),
        voltageCv,
        SCALE.currentMa.pack(reading.currentA),
        SCALE.powerFactorPm.pack(reading.powerFactor),
        SCALE.frequencyChz.pack(reading.frequencyHz),
        reading.flags,
      );
      const trueMs = reading.timeSource === 'gateway' ? takenAtMs + offsetMs : takenAtMs;
      return { seq, meter, takenAtMs: trueMs, powerDw, importDwh, voltageCv, flags: reading.flags };
    },
    lastSeq: () => seq(numbers.last()),
    nextSeq: numbers.next,
    *replay(from, end) {
      for (let next = from; ; ) {
        const rows = page.all(next, end, PAGE_ROWS);
        yield* rows;
        const last = rows.at(-1);
        if (last === undefined) return;
        next = last.seq + 1;
      }
    },
    recent({ ofEach, together }) {
      const kept: Reading[] = [];
      const counts = new Map<number, number>();
      const named = new Map(names.all());
      const maxRows = Math.min(MAX_RECENT_ROWS, 4 * together);
      let before = numbers.last() + 1;
      for (let scanned = 0; scanned < maxRows && kept.length < together; scanned += PAGE_ROWS) {
        const rows = JSON.parse(tail.get(before, PAGE_ROWS) ?? '[]') as readonly NumberedRow[];
        for (const row of rows) {
          const [, key] = row;
          const count = counts.get(key) ?? 0;
          const meter = named.get(key);
          if (count >= ofEach || meter === undefined) continue;
          counts.set(key, count + 1);
          kept.push(readingOf(storedOf(row, meter)));
        }
        before = rows.at(-1)?.[0] ?? 0;
      }
      // A meter that has been quiet for long keeps its register: its last row is known with its slots.
      const heard = new Set(Array.from(counts.keys(), (key) => named.get(key)));
      const quiet = lastOfMeters.all().filter(({ meter }) => !heard.has(meter));
      return [...quiet.map(readingOf), ...kept.reverse()];
    },
  };
}
