import { flagsOf } from '../domain/flags.js';
import type { StoredReading } from '../domain/stored.js';
import { SCALE } from '../domain/stored.js';
import { count, textTable, timeText } from './table.js';

/** Readings as a person reads them. */
export function readingsScreen(rows: readonly StoredReading[]): string {
  if (rows.length === 0) return 'No reading is stored.';
  const number = (value: number | undefined, digits: number): string =>
    value === undefined ? '' : value.toFixed(digits);
  return textTable(
    ['taken (UTC)', 'meter', 'W', 'import Wh', 'V', 'A', 'time of', 'flags'],
    rows.map((row) => [
      timeText(row.takenAtMs),
      row.meter,
      number(SCALE.powerDw.unpack(row.powerDw), 1),
      number(SCALE.energyDwh.unpack(row.importDwh), 1),
      number(SCALE.voltageCv.unpack(row.voltageCv), 1),
      number(SCALE.currentMa.unpack(row.currentMa), 2),
      row.timeSource,
      flagsOf(row.flags).join(' '),
    ]),
  );
}

interface RejectedView {
  readonly counts: Readonly<Record<string, number>>;
  readonly rows: readonly {
    readonly receivedAtMs: number;
    readonly topic: string;
    readonly reason: string;
    readonly detail: string;
    readonly payload: string;
  }[];
}

/** A screen is not the place for a whole payload; `--json` has it. */
const SHOWN_CHARACTERS = 60;

export function rejectedScreen({ counts, rows }: RejectedView): string {
  const totals = Object.entries(counts).filter(([, refused]) => refused > 0);
  if (totals.length === 0) return 'Nothing was refused.';
  const table = textTable(
    ['received (UTC)', 'reason', 'topic', 'detail', 'payload'],
    rows.map((row) => [
      timeText(row.receivedAtMs),
      row.reason,
      printable(row.topic),
      printable(row.detail),
      printable(row.payload),
    ]),
  );
  return `${totals.map(([reason, refused]) => `${reason}: ${count(refused)}`).join('  ')}\n\n${table}`;
}

/** What a stranger sent must not be able to move the cursor of a terminal. */
export function printable(text: string): string {
  const safe = text.replace(/\p{Cc}/gu, '·');
  return safe.length <= SHOWN_CHARACTERS ? safe : `${safe.slice(0, SHOWN_CHARACTERS - 1)}…`;
}
