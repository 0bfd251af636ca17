import type { EpochMs } from '../../domain/brand.js';
import type { Measure } from '../../domain/reading.js';
import type { Feed, Parsed, Refusal } from './feed.js';
import { parseBatch } from './native-batch.js';

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
const TOPIC = /^meters\/([^/]+)\/reading$/;

/** wattwarden's own JSON on `meters/<id>/reading`: one reading, an array of readings, or a batch in rows. */
export const nativeFeed: Feed = {
  name: 'native',
  subscriptions: ['meters/+/reading'],
  match(topic) {
    const meter = TOPIC.exec(topic)?.[1];
    return meter === undefined ? undefined : { meter };
  },
  decode({ meter = '' }, json) {
    if (isBatch(json)) return parseBatch(meter, json, READING_FIELDS);
    if (!Array.isArray(json)) return [parseItem(meter, json)];
    if (json.length === 0) return { reason: 'nothing_usable', detail: 'an empty array' };
    return json.map((item) => parseItem(meter, item));
  },
};

const isBatch = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && Object.hasOwn(json, 'rows');

function parseItem(meter: string, raw: unknown): Parsed {
  const refuse = (refusal: Refusal): Parsed => ({ raw, refusal });
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refuse({ reason: 'bad_shape', detail: 'not a JSON object' });
  }
  const fields = raw as Record<string, unknown>;
  const values: Partial<Record<Measure, number>> = {};
  let found = false;
  for (const name of FIELD_NAMES) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number') {
      return refuse({ reason: 'bad_shape', detail: `${name} is a ${typeof value}, not a number` });
    }
    values[READING_FIELDS[name]] = value;
    found = true;
  }
  if (!found) return refuse({ reason: 'nothing_usable', detail: `none of ${FIELD_NAMES.join(', ')}` });
  const time = fields['ts'];
  if (time === undefined || time === null) return { raw, sample: { meter, values, flags: [] } };
  if (typeof time !== 'number' || !Number.isSafeInteger(time)) {
    return refuse({ reason: 'bad_time', detail: 'ts is not a whole number of milliseconds' });
  }
  return { raw, sample: { meter, values, flags: [], ownTimeMs: time as EpochMs } };
}
