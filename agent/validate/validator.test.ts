import { expect, test } from 'vitest';
import type { MeterId } from '../domain/brand.js';
import { nativeFeed } from './feeds/native.js';
import { NOW, RULES } from './test-kit.js';
import { createValidator, type Publication, type Rules } from './validator.js';

function setUp(rules: Partial<Rules> = {}) {
  const registered = new Set<MeterId>();
  const validator = createValidator({ ...RULES, ...rules }, [nativeFeed], registered);
  const publish = (payload: unknown, more: Partial<Publication> = {}) => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const publication = {
      topic: 'meters/m1/reading',
      payload: Buffer.from(text),
      repeated: false,
      receivedAtMs: NOW,
      ...more,
    };
    const verdict = validator.validate([publication]);
    for (const { meter } of verdict.readings) registered.add(meter);
    return verdict;
  };
  return {
    validator,
    registered,
    publish,
    reasonOf: (payload: unknown, more?: Partial<Publication>) => publish(payload, more).rejected[0]?.reason,
  };
}

test('a reading with its own time, in its units', () => {
  const { publish } = setUp();
  const ts = NOW - 1_000;
  const { readings, rejected } = publish({
    ts,
    power_w: 1234.5,
    import_wh: 7,
    voltage_v: 230.1,
    power_factor: 0.9,
    model: 'x',
  });
  expect(rejected).toEqual([]);
  expect(readings).toEqual([
    {
      meter: 'm1',
      takenAtMs: ts,
      timeSource: 'meter',
      receivedAtMs: NOW,
      powerW: 1234.5,
      importWh: 7,
      voltageV: 230.1,
      powerFactor: 0.9,
      flags: 0,
    },
  ]);
});

test('a reading without a time has that of its arrival; null is missing and zero is a value', () => {
  const { publish } = setUp();
  expect(publish({ power_w: 0, voltage_v: null }).readings).toEqual([
    { meter: 'm1', takenAtMs: NOW, timeSource: 'gateway', receivedAtMs: NOW, powerW: 0, flags: 0 },
  ]);
});

test('two readings without a time in one millisecond are two', () => {
  const { publish } = setUp();
  const times = [publish({ power_w: 1 }), publish({ power_w: 1 }), publish({ power_w: 2 })].map(
    (verdict) => verdict.readings[0]?.takenAtMs,
  );
  expect(times).toEqual([NOW, NOW + 1, NOW + 2]);
});

test.each([
  ['not_json', '{"power_w":'],
  ['not_json', ''],
  ['not_json', '\u0000\u0001'],
  ['bad_shape', '5'],
  ['bad_shape', 'null'],
  ['bad_shape', { power_w: '5' }],
  ['bad_shape', { power_w: { value: 5 } }],
  ['nothing_usable', {}],
  ['nothing_usable', []],
  ['nothing_usable', { power_w: null, unit: 'W' }],
  ['not_finite', '{"power_w":1e400}'],
  ['out_of_range', { voltage_v: 2_300 }],
  ['out_of_range', { import_wh: -1 }],
  ['out_of_range', { power_factor: 100 }],
  ['bad_time', { power_w: 1, ts: 'yesterday' }],
  ['bad_time', { power_w: 1, ts: 1.5 }],
  ['bad_time', { power_w: 1, ts: -9e15 }],
  ['in_future', { power_w: 1, ts: NOW + 301_000 }],
  ['bad_clock', { power_w: 1, ts: Date.UTC(2000, 0, 1) }],
  ['bad_clock', { power_w: 1, ts: 0 }],
  ['too_old', { power_w: 1, ts: NOW - 401 * 86_400_000 }],
  ['too_deep', `{"power_w":${'['.repeat(17)}${']'.repeat(17)}}`],
  ['too_deep', '['.repeat(4_000)],
  ['too_large', JSON.stringify({ power_w: 1, pad: 'x'.repeat(5_000) })],
])('%s: %j', (reason, payload) => {
  const { publish, registered } = setUp();
  const { readings, rejected } = publish(payload);
  expect(readings).toEqual([]);
  expect(rejected).toMatchObject([{ reason, topic: 'meters/m1/reading', receivedAtMs: NOW }]);
  expect(rejected[0]?.detail).not.toBe('');
  expect(rejected[0]?.payload.length).toBeLessThanOrEqual(RULES.maxPayloadBytes);
  expect(registered.size).toBe(0);
});

test.each(['meters/a b/reading', 'meters/ä/reading', `meters/${'x'.repeat(65)}/reading`, "meters/';drop/reading"])(
  'bad_meter_id: %s',
  (topic) => {
    expect(setUp().reasonOf({ power_w: 1 }, { topic })).toBe('bad_meter_id');
  },
);

test('unknown meters: registered up to the cap, also within one batch, or refused', () => {
  const { validator, registered } = setUp();
  const of = (meter: string): Publication => ({
    topic: `meters/${meter}/reading`,
    payload: Buffer.from('{"power_w":1}'),
    repeated: false,
    receivedAtMs: NOW,
  });
  const first = validator.validate(['a', 'b', 'a', 'c', 'd'].map(of));
  expect(first.readings.map(({ meter }) => meter)).toEqual(['a', 'b', 'a', 'c']);
  expect(first.rejected).toMatchObject([{ reason: 'unknown_meter', topic: 'meters/d/reading' }]);
  for (const { meter } of first.readings) registered.add(meter);
  expect(validator.validate([of('c'), of('e')]).rejected).toMatchObject([{ topic: 'meters/e/reading' }]);
  expect(setUp({ register: 'refuse' }).reasonOf({ power_w: 1 })).toBe('unknown_meter');
});

test('a repeat is recognised by its time, other values for the same time are a conflict', () => {
  const { publish, reasonOf } = setUp();
  expect(publish({ ts: NOW, power_w: 5 }).readings).toHaveLength(1);
  expect(reasonOf({ ts: NOW, power_w: 5 })).toBe('duplicate');
  expect(reasonOf({ ts: NOW, power_w: 6 })).toBe('conflicting');
  expect(publish({ ts: NOW + 1, power_w: 5 }).readings).toHaveLength(1);
});

test('without a time of its own, only what is marked as a repeat can be one', () => {
  const { publish, reasonOf } = setUp();
  publish({ power_w: 5 });
  expect(publish({ power_w: 5 }).readings).toHaveLength(1);
  expect(reasonOf({ power_w: 5 }, { repeated: true })).toBe('duplicate');
  expect(publish({ power_w: 6 }, { repeated: true }).readings).toHaveLength(1);
});

test('after a restart repeats are recognised from what the buffer remembers', () => {
  const { validator, reasonOf } = setUp();
  // The buffer keeps a tenth of a watt.
  validator.remember([{ meter: 'm1' as MeterId, takenAtMs: NOW, powerW: 5.3 }]);
  expect(reasonOf({ ts: NOW, power_w: 5.2999 })).toBe('duplicate');
  expect(reasonOf({ power_w: 5.3001 }, { repeated: true })).toBe('duplicate');
  expect(reasonOf({ ts: NOW, power_w: 5.4 })).toBe('conflicting');
});

test('what was not stored is forgotten, so that its repeat is taken', () => {
  const { publish } = setUp();
  publish({ ts: NOW, power_w: 5 }).forget();
  expect(publish({ ts: NOW, power_w: 5 }).readings).toHaveLength(1);
});

test('in an array every item is judged for itself and kept aside for itself', () => {
  const { publish } = setUp();
  const { readings, rejected } = publish([
    { ts: NOW, power_w: 1 },
    { power_w: 'x' },
    { ts: NOW, power_w: 1 },
    { ts: NOW - 1, power_w: 2 },
  ]);
  expect(readings.map(({ powerW }) => powerW)).toEqual([1, 2]);
  expect(rejected.map(({ reason, payload }) => [reason, Buffer.from(payload).toString()])).toEqual([
    ['bad_shape', '{"power_w":"x"}'],
    ['duplicate', `{"ts":${NOW},"power_w":1}`],
  ]);
});
