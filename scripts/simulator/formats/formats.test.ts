import { expect, test } from 'vitest';
import { parseMeterId } from '../../../agent/domain/brand.js';
import { decoder } from '../../../agent/validate/feeds/test-kit.js';
import type { Condition, SentReading } from '../sent-reading.js';
import { FORMATS } from './choice.js';
import { FORMAT_NAMES, type Format } from './format.js';

const id = parseMeterId('meter-007');
const READING: SentReading = {
  ts: Date.UTC(2026, 0, 5, 10, 20, 30),
  power_w: -412.5,
  import_wh: 1_234_567.8,
  export_wh: 98_765.4,
  voltage_v: 231.4,
  current_a: 1.783,
};
const CONSUMER: SentReading = {
  ts: READING.ts,
  power_w: 850.3,
  import_wh: 1_234_567.8,
  voltage_v: 231.4,
  current_a: 3.7,
};

const reportedIn = (values: object) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** What the gateway's own decoder makes of it, all messages of one reading together. */
function decoded(format: Format, reading: SentReading, { phases = [1], conditions = [] as readonly Condition[] } = {}) {
  if (id === undefined) throw new Error('a meter id');
  const decode = decoder({ enabled: [format.name], timeZone: 'UTC' });
  const meter = { id, number: 7, phases };
  const samples = format.encode(meter, { reading, conditions }).map(({ topic, payload }) => {
    const outcome = decode(topic, payload);
    if (!Array.isArray(outcome) || outcome.length !== 1 || !('sample' in outcome[0]))
      throw new Error(`${topic} ${payload}`);
    return outcome[0].sample;
  });
  expect(new Set(samples.map((sample) => sample.meter))).toEqual(new Set([format.meterName(meter)]));
  return {
    ...samples[0],
    values: Object.assign({}, ...samples.map(({ values }) => reportedIn(values))),
    flags: samples.flatMap(({ flags }) => flags),
  };
}

test.each(FORMAT_NAMES)('%s: the gateway reads what was shown, to the resolution of the format', (name) => {
  const format = FORMATS[name];
  for (const reading of [READING, CONSUMER]) {
    const { values, ownTimeMs } = decoded(format, reading);
    expect(Math.abs(values.importWh - reading.import_wh)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(values.powerW - reading.power_w)).toBeLessThanOrEqual(0.5);
    expect(values.voltageV).toBeCloseTo(reading.voltage_v, name === 'tasmota' ? -1 : 1);
    if (reading.export_wh !== undefined) expect(Math.abs(values.exportWh - reading.export_wh)).toBeLessThanOrEqual(0.5);
    expect(ownTimeMs).toBe(format.hasTime ? reading.ts : undefined);
  }
});

test('three phases of a Shelly are one meter with their sum', () => {
  const { values } = decoded(FORMATS.shelly, CONSUMER, { phases: [0.5, 0.3, 0.2] });
  expect(values).toMatchObject({ powerW: 850.3, importWh: 1_234_567.8 });
});

test('a radio meter says what was done to it', () => {
  expect(decoded(FORMATS.wmbusmeters, CONSUMER, { conditions: ['tamper', 'reversed'] }).flags).toEqual([
    'tamper',
    'reversed',
  ]);
  expect(decoded(FORMATS.wmbusmeters, CONSUMER).flags).toEqual([]);
});
