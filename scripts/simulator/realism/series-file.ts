import { linesOf } from '../../../models/text-lines.js';

/** Homes as equal steps of mean power, beginning at midnight; NaN is missing. */
export interface Homes {
  readonly name: string;
  readonly stepMinutes: number;
  /** Day since 1970 of the first step. */
  readonly firstDay: number;
  readonly watts: readonly Float32Array[];
}

export interface FileOptions {
  readonly path: string;
  readonly stepMinutes: number;
  /** Watts of mean power in one of the file's numbers. */
  readonly factor: number;
  /** Columns after the first that are homes; all unless told. */
  readonly columns?: number;
}

const DAY_MS = 86_400_000;

/** A wide table: the first column is a time, each other one a home, blank = missing; `.gz` is unpacked. */
export async function loadHomes({ path, stepMinutes, factor, columns }: FileOptions): Promise<Homes> {
  const rows: { readonly step: number; readonly watts: Float32Array }[] = [];
  let width = 0;
  for await (const line of linesOf(path)) {
    const [time = '', ...cells] = line.split(',');
    if (width === 0) {
      width = Math.min(cells.length, columns ?? cells.length);
      continue;
    }
    const atMs = Date.parse(`${time.replace(' ', 'T')}Z`);
    if (Number.isNaN(atMs)) throw new Error(`${path}: “${time}” is no time`);
    const watts = Float32Array.from({ length: width }, (_, home) => {
      const cell = cells[home]?.trim() ?? '';
      return cell === '' ? Number.NaN : Number(cell) * factor;
    });
    rows.push({ step: Math.round(atMs / (stepMinutes * 60_000)), watts });
  }
  const perDay = 1_440 / stepMinutes;
  const firstDay = Math.ceil((rows[0]?.step ?? 0) / perDay);
  const days = Math.floor(((rows.at(-1)?.step ?? 0) + 1) / perDay) - firstDay;
  if (days < 1) throw new Error(`${path}: not a whole day`);
  const homes = Array.from({ length: width }, () => new Float32Array(days * perDay).fill(Number.NaN));
  for (const { step, watts } of rows) {
    const at = step - firstDay * perDay;
    if (at >= 0 && at < days * perDay)
      for (const [home, value] of watts.entries()) homes[home]?.fill(value, at, at + 1);
  }
  return { name: path.replace(/^.*\//, ''), stepMinutes, firstDay, watts: homes };
}

export const firstDate = ({ firstDay }: Homes): string => new Date(firstDay * DAY_MS).toISOString().slice(0, 10);
