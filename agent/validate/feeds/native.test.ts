import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmpty } from '../../domain/reading.js';
import type { Parsed, Refusal } from './feed.js';
import { nativeFeed } from './native.js';

const T0 = 1_768_478_400_000;
const decode = (json: unknown) => nativeFeed.decode({ meter: 'm1' }, json);
const samples = (json: unknown) =>
  (decode(json) as readonly Parsed[]).map((item) => ('sample' in item ? item.sample : item.refusal.reason));

test('the topic', () => {
  expect(nativeFeed.match('meters/m1/reading')).toEqual({ meter: 'm1' });
  for (const other of [
    'meters/m1',
    'meters/a/b/reading',
    'x/meters/m1/reading',
    'meters//reading',
    'meters/m1/reading/',
  ]) {
    expect(nativeFeed.match(other)).toBeUndefined();
  }
});

test('one reading, and an array', () => {
  expect(samples({ ts: T0, power_w: 1, import_wh: null })).toEqual([
    { meter: 'm1', ownTimeMs: T0, values: { powerW: 1 }, flags: [] },
  ]);
  expect(samples([{ power_w: 1 }, { power_w: '1' }, { export_wh: 0 }])).toEqual([
    { meter: 'm1', values: { powerW: 1 }, flags: [] },
    'bad_shape',
    { meter: 'm1', values: { exportWh: 0 }, flags: [] },
  ]);
});

describe('a batch', () => {
  const batch = {
    ts0: T0,
    step_ms: 10_000,
    fields: ['power_w', 'import_wh'],
    rows: [[512.5, 1_002_331], [498, 1_002_332.4], null, [null, 1_002_335]],
  };

  test('has one row per step; null is a gap or a missing value', () => {
    expect(samples(batch)).toEqual([
      { meter: 'm1', ownTimeMs: T0, values: { powerW: 512.5, importWh: 1_002_331 }, flags: [] },
      { meter: 'm1', ownTimeMs: T0 + 10_000, values: { powerW: 498, importWh: 1_002_332.4 }, flags: [] },
      { meter: 'm1', ownTimeMs: T0 + 30_000, values: { importWh: 1_002_335 }, flags: [] },
    ]);
  });

  test('may have a column of times instead', () => {
    expect(
      samples({
        fields: ['ts', 'power_w'],
        rows: [
          [T0, 1],
          [T0 + 7, 0],
          [null, 1],
          [1.5, 1],
        ],
      }),
    ).toEqual([
      { meter: 'm1', ownTimeMs: T0, values: { powerW: 1 }, flags: [] },
      { meter: 'm1', ownTimeMs: T0 + 7, values: { powerW: 0 }, flags: [] },
      'bad_time',
      'bad_time',
    ]);
  });

  test('passes over columns that it does not know, as a reading does', () => {
    expect(samples({ ...batch, fields: ['power_w', '__proto__'], rows: [[1, 'x']] })).toMatchObject([
      { values: { powerW: 1 } },
    ]);
  });

  test('a row that is wrong is refused alone, as a reading that can be sent again', () => {
    const found = decode({ ...batch, rows: [[1, 2], [1], [1, '2'], [null, null], 7, [1, 2]] }) as readonly Parsed[];
    expect(found.map((item) => ('refusal' in item ? item.refusal.reason : item.sample.ownTimeMs))).toEqual([
      T0,
      'bad_shape',
      'bad_shape',
      'nothing_usable',
      'bad_shape',
      T0 + 50_000,
    ]);
    expect(found[2]?.raw).toEqual({ row: 2, power_w: 1, import_wh: '2' });
    expect(found[0]?.raw).toEqual({ ts: T0, power_w: 1, import_wh: 2 });
  });

  test.each([
    ['bad_shape', { rows: {} }],
    ['bad_shape', { fields: 'power_w' }],
    ['bad_shape', { fields: ['power_w', 1] }],
    ['bad_shape', { fields: ['power_w', 'power_w'] }],
    ['bad_shape', { fields: ['power_w', 'ts'] }],
    ['nothing_usable', { fields: ['power', 'energy'] }],
    ['nothing_usable', { rows: [] }],
    ['nothing_usable', { rows: [null] }],
    ['bad_time', { ts0: undefined }],
    ['bad_time', { ts0: 1.5 }],
    ['bad_time', { ts0: '1768478400000' }],
    ['bad_time', { ts0: Number.MAX_SAFE_INTEGER }],
    ['bad_time', { step_ms: 0 }],
    ['bad_time', { step_ms: 0.5 }],
    ['bad_time', { step_ms: 1e9 }],
  ])('%s: %j', (reason, change) => {
    const found = decode({ ...batch, ...change }) as Refusal;
    expect(found).toMatchObject({ reason });
    expect(found.detail).not.toBe('');
  });
});

test('any JSON gets an answer, and a sample holds numbers only', () => {
  const part = fc.oneof(fc.jsonValue(), fc.constantFrom('ts', 'power_w', 'import_wh'), fc.double(), fc.integer());
  const payload = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        ts0: part,
        step_ms: part,
        fields: fc.oneof(fc.array(part), part),
        rows: fc.oneof(fc.array(fc.oneof(fc.array(part), part)), part),
      },
      { requiredKeys: ['rows'] },
    ),
    fc.array(fc.record({ ts: part, power_w: part, import_wh: part }, { requiredKeys: [] })),
  );
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  fc.assert(
    fc.property(payload, (json) => {
      const items = decode(json);
      if (items === 'ignored' || 'reason' in items) return true;
      return items.every(
        (item) =>
          'refusal' in item ||
          (JSON.stringify(item.raw) !== '' &&
            !isEmpty(item.sample.values) &&
            Object.values(item.sample.values).every((value) => ['number', 'undefined'].includes(typeof value))),
      );
    }),
    { seed, numRuns: 3_000 },
  );
});
