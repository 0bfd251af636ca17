import type { EpochMs } from '../../domain/brand.js';
import type { Measure, Values } from '../../domain/reading.js';
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

type Fields = Readonly<Partial<Record<keyof typeof READING_FIELDS, unknown>>>;

/** Undefined when there is none, or one that is no number. By their names, one by one: the engine then knows their places. */
function valuesOf(fields: Fields): Values | undefined {
  let found = false;
  let isWrong = false;
  function number(value: unknown): number | undefined {
    if (typeof value === 'number') {
      found = true;
      return value;
    }
    if (value !== undefined && value !== null) isWrong = true;
    return undefined;
  }
  const values = {
    powerW: number(fields.power_w),
    importWh: number(fields.import_wh),
    exportWh: number(fields.export_wh),
    voltageV: number(fields.voltage_v),
    currentA: number(fields.current_a),
    powerFactor: number(fields.power_factor),
    frequencyHz: number(fields.frequency_hz),
  } satisfies Record<Measure, unknown>;
  return found && !isWrong ? values : undefined;
}

function faultOf(fields: Fields): Refusal {
  const wrong = FIELD_NAMES.find((name) => !['number', 'undefined'].includes(typeof (fields[name] ?? undefined)));
  if (wrong === undefined) return { reason: 'nothing_usable', detail: `none of ${FIELD_NAMES.join(', ')}` };
  return { reason: 'bad_shape', detail: `${wrong} is a ${typeof fields[wrong]}, not a number` };
}

const isBatch = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && Object.hasOwn(json, 'rows');

function parseItem(meter: string, raw: unknown): Parsed {
  const refuse = (refusal: Refusal): Parsed => ({ raw, refusal });
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refuse({ reason: 'bad_shape', detail: 'not a JSON object' });
  }
  const fields = raw as Fields & Readonly<Record<string, unknown>>;
  const values = valuesOf(fields);
  if (values === undefined) return refuse(faultOf(fields));
  const time = fields['ts'];
  if (time === undefined || time === null) return { raw, sample: { meter, values, flags: [] } };
  if (typeof time !== 'number' || !Number.isSafeInteger(time)) {
    return refuse({ reason: 'bad_time', detail: 'ts is not a whole number of milliseconds' });
  }
  return { raw, sample: { meter, values, flags: [], ownTimeMs: time as EpochMs } };
}
