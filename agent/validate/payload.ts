import type { EpochMs } from '../domain/brand.js';
import type { Measure, RejectReason } from '../domain/reading.js';

/** One value set as it was sent: right types, nothing checked against the world yet. */
export interface Sample {
  /** The meter's own time, when it has one. */
  readonly ownTimeMs?: EpochMs;
  readonly values: Partial<Record<Measure, number>>;
}

export interface Refusal {
  readonly reason: RejectReason;
  readonly detail: string;
}

/** One item of a payload: the sample, or why it is none and what was sent. */
export type Parsed =
  | { readonly sample: Sample; readonly raw: unknown }
  | { readonly refusal: Refusal; readonly raw: unknown };

export const READING_FIELDS = {
  power_w: 'powerW',
  import_wh: 'importWh',
  export_wh: 'exportWh',
  voltage_v: 'voltageV',
  current_a: 'currentA',
  power_factor: 'powerFactor',
  frequency_hz: 'frequencyHz',
} as const satisfies Record<string, Measure>;

const FIELD_NAMES = Object.keys(READING_FIELDS) as (keyof typeof READING_FIELDS)[];

/** wattwarden's own JSON: one reading, or an array of readings. */
export function parsePayload(payload: Uint8Array): readonly Parsed[] | Refusal {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
  } catch (error) {
    return { reason: 'not_json', detail: error instanceof Error ? error.message : String(error) };
  }
  if (!Array.isArray(json)) return [parseItem(json)];
  if (json.length === 0) return { reason: 'nothing_usable', detail: 'an empty array' };
  return json.map(parseItem);
}

function parseItem(raw: unknown): Parsed {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { raw, refusal: { reason: 'bad_shape', detail: 'not a JSON object' } };
  }
  const fields = raw as Record<string, unknown>;
  const values: Partial<Record<Measure, number>> = {};
  let found = false;
  for (const name of FIELD_NAMES) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number') {
      return { raw, refusal: { reason: 'bad_shape', detail: `${name} is a ${typeof value}, not a number` } };
    }
    values[READING_FIELDS[name]] = value;
    found = true;
  }
  if (!found) return { raw, refusal: { reason: 'nothing_usable', detail: `none of ${FIELD_NAMES.join(', ')}` } };
  const time = fields['ts'];
  if (time === undefined || time === null) return { raw, sample: { values } };
  if (typeof time !== 'number' || !Number.isSafeInteger(time)) {
    return { raw, refusal: { reason: 'bad_time', detail: 'ts is not a whole number of milliseconds' } };
  }
  return { raw, sample: { values, ownTimeMs: time as EpochMs } };
}
