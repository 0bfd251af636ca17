import { type EpochMs, epochMs } from '../../domain/brand.js';
import { type Measure, noValues } from '../../domain/reading.js';
import type { Parsed, Refusal, Sample } from './feed.js';

/** The same step for a day and more is no batch that a meter sends. */
const MAX_STEP_MS = 86_400_000;

type Json = Readonly<Record<string, unknown>>;

/** What a column holds; undefined for one that is no value of ours and is passed over, as in a single reading. */
interface Column {
  readonly name: string;
  readonly measure: Measure | 'ts' | undefined;
}

interface Batch {
  readonly columns: readonly Column[];
  readonly timeOf: (row: number) => EpochMs | undefined;
}

/**
 * `{"ts0", "step_ms", "fields", "rows"}`: names once, and one row per step; or a column `ts` in place of the first two.
 * The bound on the payload is the bound on the rows. A fault of the head refuses it all, one of a row that row.
 */
export function parseBatch(
  meter: string,
  batch: Json,
  measures: Readonly<Record<string, Measure>>,
): readonly Parsed[] | Refusal {
  const { rows } = batch;
  if (!Array.isArray(rows)) return badShape('rows is not an array');
  const head = parseHead(batch, rows.length, measures);
  if ('reason' in head) return head;
  const items = rows.flatMap((row: unknown, index) => (row === null ? [] : [parseRow(meter, head, { row, index })]));
  return items.length === 0 ? { reason: 'nothing_usable', detail: 'a batch without a row' } : items;
}

function parseHead(batch: Json, rows: number, measures: Readonly<Record<string, Measure>>): Batch | Refusal {
  const { fields } = batch;
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === 'string')) {
    return badShape('fields is not an array of names');
  }
  if (new Set(fields).size < fields.length) return badShape('fields names one twice');
  const columns = fields.map((name): Column => ({ name, measure: measureOf(name, measures) }));
  if (!columns.some(({ measure }) => measure !== undefined && measure !== 'ts')) {
    return { reason: 'nothing_usable', detail: `fields has none of ${Object.keys(measures).join(', ')}` };
  }
  const timeOf = parseTimes(batch, rows, fields.includes('ts'));
  return typeof timeOf === 'function' ? { columns, timeOf } : timeOf;
}

const measureOf = (name: string, measures: Readonly<Record<string, Measure>>): Column['measure'] =>
  name === 'ts' ? 'ts' : Object.hasOwn(measures, name) ? measures[name] : undefined;

/** Rows that arrive together were not taken together: without times they would be guesses. */
function parseTimes({ ts0, step_ms: step }: Json, rows: number, column: boolean): Batch['timeOf'] | Refusal {
  if (column) {
    if (ts0 === undefined && step === undefined) return () => undefined;
    return badShape('a column ts leaves no place for ts0 and step_ms');
  }
  if (!isWhole(ts0)) return badTime('ts0 is not a whole number of milliseconds, and no column is ts');
  if (!isWhole(step) || step < 1 || step > MAX_STEP_MS) {
    return badTime(`step_ms is not a whole number from 1 to ${MAX_STEP_MS}`);
  }
  if (!Number.isSafeInteger(ts0 + rows * step)) return badTime('ts0 is no time');
  return (row) => epochMs(ts0 + row * step);
}

function parseRow(meter: string, batch: Batch, { row, index }: { row: unknown; index: number }): Parsed {
  const { columns } = batch;
  // Only a refusal asks for it: what the row says as a reading of its own, which can be sent again.
  const raw = (): unknown =>
    Array.isArray(row) ? Object.fromEntries(columns.map(({ name }, column) => [name, row[column]])) : row;
  const refuse = (refusal: Refusal): Parsed => ({ refusal, raw: { row: index, ...asObject(raw()) } });
  if (!Array.isArray(row) || row.length !== columns.length) {
    return { refusal: badShape(`row ${index} is not an array of ${columns.length} values`), raw: row };
  }
  const values = noValues();
  let ownTimeMs = batch.timeOf(index);
  let found = false;
  for (const [column, { name, measure }] of columns.entries()) {
    const value: unknown = row[column];
    if (measure === undefined || value === null) continue;
    if (typeof value !== 'number') return refuse(badShape(`${name} of row ${index} is not a number`));
    if (measure !== 'ts') {
      values[measure] = value;
      found = true;
    } else if (isWhole(value)) ownTimeMs = epochMs(value);
    else return refuse(badTime(`ts of row ${index} is not a whole number of milliseconds`));
  }
  if (ownTimeMs === undefined) return refuse(badTime(`row ${index} has no ts`));
  if (!found) return refuse({ reason: 'nothing_usable', detail: `row ${index} has no value` });
  const sample: Sample = { meter, values, flags: [], ownTimeMs };
  return {
    sample,
    get raw() {
      return asObject({ ts: ownTimeMs, ...asObject(raw()) });
    },
  };
}

const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : { value });
const badShape = (detail: string): Refusal => ({ reason: 'bad_shape', detail });
const badTime = (detail: string): Refusal => ({ reason: 'bad_time', detail });
