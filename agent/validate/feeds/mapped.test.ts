import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMeterId } from '../../domain/brand.js';
import { type Mapping, SHIPPED_FEEDS, type Target, type Unit } from '../../domain/feed-mapping.js';
import { decoder, told } from './test-kit.js';

const PLAIN: Mapping = {
  name: 'plain',
  topics: ['plant/{site}/{id}'],
  meter: '{site}:{id}',
  values: [{ as: 'power_w', path: 'p', unit: 'W' }],
};

const take = (change: Partial<Mapping>, payload: unknown, topic = 'plant/a/1', nearMs?: number): unknown =>
  told(decoder({ custom: [{ ...PLAIN, ...change }] })(topic, JSON.stringify(payload), nearMs));
const valuesOf = (change: Partial<Mapping>, payload: unknown): unknown =>
  (take(change, payload) as readonly { values?: unknown }[])[0]?.values;

describe('values', () => {
  test.each<[Target, Unit, number, object]>([
    ['power_w', 'kW', 0.3301, { powerW: 330.1 }],
    ['power_w', 'MW', 1.5, { powerW: 1_500_000 }],
    ['power_w', 'mW', 1_500, { powerW: 1.5 }],
    ['import_wh', 'kWh', 34_507.4761, { importWh: 34_507_476.1 }],
    ['import_wh', 'MWh', 1.073079, { importWh: 1_073_079 }],
    ['import_wh', 'Wmin', 98_765, { importWh: 1_646.083333 }],
    ['export_wh', 'J', 3_600, { exportWh: 1 }],
    ['export_wh', 'MJ', 3.6, { exportWh: 1_000 }],
    ['voltage_v', 'mV', 230_100, { voltageV: 230.1 }],
    ['current_a', 'mA', 132, { currentA: 0.132 }],
    ['frequency_hz', 'mHz', 49_980, { frequencyHz: 49.98 }],
    ['power_factor', 'percent', 98, { powerFactor: 0.98 }],
    ['power_factor', 'fraction', 0.98, { powerFactor: 0.98 }],
  ])('%s in %s: %d', (as, unit, sent, expected) => {
    expect(valuesOf({ values: [{ as, path: 'v', unit }] }, { v: sent })).toEqual(expected);
  });

  test('increments are no register', () => {
    const values = [
      { as: 'import_delta_wh', path: 'd', unit: 'Wh' },
      { as: 'export_delta_wh', path: 'r', unit: 'kWh' },
    ] as const;
    expect(take({ values }, { d: 9, r: 0.5 })).toEqual([
      { meter: 'a:1', values: {}, flags: [], importDeltaWh: 9, exportDeltaWh: 500 },
    ]);
  });

  test('of several paths the first that is there counts; a negative scale turns the direction', () => {
    const values = [{ as: 'power_w', path: ['a', 'b.c[1]'], unit: 'W', scale: -1 }] as const;
    expect(valuesOf({ values }, { b: { c: [1, 2] } })).toEqual({ powerW: -2 });
    expect(valuesOf({ values }, { a: 5, b: { c: [1, 2] } })).toEqual({ powerW: -5 });
  });

  test('phases are summed by naming each', () => {
    const values = [{ as: 'power_w', path: 'p[0]', plus: ['p[1]', 'p[2]'], unit: 'W' }] as const;
    expect(valuesOf({ values }, { p: [0.1, 0.2, 0.3] })).toEqual({ powerW: 0.6 });
    expect(take({ values }, { p: [0.1, null, 0.3] })).toBe('nothing_usable');
  });

  test.each(['001234.567', ' 1234.567 ', '+1234.567', '1.234567e3'])('%j is a number', (text) => {
    expect(valuesOf({}, { p: text })).toEqual({ powerW: 1_234.567 });
  });

  test.each([null, '', ' ', 'unknown', 'unavailable', 'NaN', 'None', 'n/a', '-'])('%j means missing', (sent) => {
    expect(take({}, { p: sent })).toBe('nothing_usable');
  });

  test.each(['230 V', '1,5', '0x10', true, {}, { value: 1 }, [[1]], 'Infinity', '1'.repeat(50)])(
    '%j is no number',
    (sent) => {
      expect(take({}, { p: sent })).toBe('bad_shape');
    },
  );

  test.each([5, 'on', null, [], [{ p: 1 }]])('%j is no object', (payload) => {
    expect(take({}, payload)).toBe('bad_shape');
  });

  test('register_max goes with every sample', () => {
    expect(take({ register_max_wh: 838_860_700 }, { p: 1 })).toMatchObject([{ registerMaxWh: 838_860_700 }]);
  });
});

describe('channels', () => {
  test('are counted from 0 unless told otherwise; one without a value is passed over', () => {
    expect(take({}, { p: [1, null, '3'] })).toMatchObject([
      { meter: 'a:1:0', values: { powerW: 1 } },
      { meter: 'a:1:2', values: { powerW: 3 } },
    ]);
    expect(take({ first_channel: 1 }, { p: [1] })).toMatchObject([{ meter: 'a:1:1' }]);
  });

  test('a list of nothing, of something else, of too much', () => {
    expect(take({}, { p: [] })).toBe('nothing_usable');
    expect(take({}, { p: [null] })).toBe('nothing_usable');
    expect(take({}, { p: [1, 'x'] })).toBe('bad_shape');
    expect(take({}, { p: Array(33).fill(1) })).toBe('bad_shape');
  });
});

describe('each', () => {
  const each = { each: 'devices.*', meter: 'x:{group}', time: { path: 'at', format: 'epoch_s' } } as const;

  test('member is a meter; the time may stand beside it or above all', () => {
    const payload = {
      at: 1_000,
      devices: { 'b 1': { p: 1 }, c: { p: 'x' }, d: { other: 1 }, e: 5, f: { p: 2, at: 2_000.5 } },
    };
    expect(take(each, payload)).toMatchObject([
      { meter: 'x:b.201', values: { powerW: 1 }, ownTimeMs: 1_000_000 },
      'bad_shape',
      { meter: 'x:f', values: { powerW: 2 }, ownTimeMs: 2_000_500 },
    ]);
  });

  test('also of a list, named by what is in it', () => {
    const found = take(
      { ...each, meter: 'x:{payload.sn}' },
      { devices: [{ sn: 7, p: 1 }, { p: 1 }, { sn: '8', p: 2 }] },
    );
    expect(found).toMatchObject([{ meter: 'x:7' }, 'bad_meter_id', { meter: 'x:8' }]);
  });

  test('nothing there is nothing to say; too much is refused', () => {
    expect(take(each, { devices: null })).toBe('ignored');
    expect(take(each, { devices: {} })).toBe('ignored');
    expect(take(each, { devices: Array.from({ length: 65 }, () => ({ p: 1 })) })).toBe('bad_shape');
  });
});

describe('time', () => {
  const timed = (format: NonNullable<Mapping['time']>['format'], t: unknown, zone?: string, near?: string) =>
    take(
      { time: { path: 't', format, zone } },
      { p: 1, t },
      'plant/a/1',
      near === undefined ? undefined : Date.parse(near),
    );

  test.each([
    ['epoch_s', 1_720_080_000, '2024-07-04T08:00:00Z'],
    ['epoch_s', 1_276_020_076.001, '2010-06-08T18:01:16.001Z'],
    ['epoch_ms', 1_700_000_000_123, '2023-11-14T22:13:20.123Z'],
    ['epoch_ms', '1700000000123', '2023-11-14T22:13:20.123Z'],
    ['iso', '2025-01-15T10:30:00-05:00', '2025-01-15T15:30:00Z'],
    ['iso', '2025-05-05T21:25:11.959372062Z', '2025-05-05T21:25:11.959Z'],
    ['iso', '2025-01-15T10:30:00+0530', '2025-01-15T05:00:00Z'],
    ['iso', '2019-03-20 12:57', '2019-03-20T11:57:00Z'],
    ['iso', '2025-07-15 12:57:01,5', '2025-07-15T10:57:01.500Z'],
    ['iso', '2000-02-29T00:00:00', '2000-02-28T23:00:00Z'],
  ] as const)('%s: %s', (format, sent, expected) => {
    expect(timed(format, sent)).toMatchObject([{ ownTimeMs: Date.parse(expected) }]);
  });

  test('the zone of the mapping stands above that of the feeds', () => {
    expect(timed('iso', '2025-07-15T12:00:00', 'UTC')).toMatchObject([
      { ownTimeMs: Date.parse('2025-07-15T12:00:00Z') },
    ]);
  });

  test('in the hour that occurs twice, the arrival tells which one is meant', () => {
    const sent = '2025-10-26T02:30:00';
    expect(timed('iso', sent, 'Europe/Berlin', '2025-10-26T00:30:02Z')).toMatchObject([
      { ownTimeMs: Date.parse('2025-10-26T00:30:00Z') },
    ]);
    expect(timed('iso', sent, 'Europe/Berlin', '2025-10-26T01:30:02Z')).toMatchObject([
      { ownTimeMs: Date.parse('2025-10-26T01:30:00Z') },
    ]);
  });

  test.each([null, '', 'unknown', undefined])('%j is no time, and the arrival counts', (sent) => {
    expect(timed('iso', sent)).toEqual([{ meter: 'a:1', values: { powerW: 1 }, flags: [] }]);
  });

  test.each([
    ['iso', '2025-02-29T00:00:00'],
    ['iso', '2025-13-01T00:00:00'],
    ['iso', '2025-01-01T24:00:00'],
    ['iso', '15.01.2025 10:30'],
    ['iso', 1_720_080_000],
    ['iso', {}],
    ['epoch_s', '2025-01-01T00:00:00'],
    ['epoch_ms', 1e300],
    ['dsmr', '250132000000W'],
    ['dsmr', '250115113000'],
  ] as const)('%s: %j cannot be read', (format, sent) => {
    expect(timed(format, sent)).toBe('bad_time');
  });
});

describe('flags', () => {
  const flagsOf = (flag: object, payload: object) =>
    (
      take({ flags: [{ flag: 'tamper', path: 's', ...flag }] }, { p: 1, ...payload }) as readonly { flags: unknown }[]
    )[0]?.flags;

  test.each([
    [{ bit: 1 }, 2, true],
    [{ bit: 1 }, '3', true],
    [{ bit: 1 }, 5, false],
    [{ bit: 40 }, 2 ** 40, true],
    [{ bit: 0 }, null, false],
    [{ contains: ['Tamper'] }, 'OK TAMPERED', true],
    [{ contains: ['tamper'] }, ['ok', 'cover tamper'], true],
    [{ contains: ['tamper'] }, 'OK', false],
    [{ contains: ['tamper'] }, 7, false],
    [{}, true, true],
    [{}, 3, true],
    [{}, 'on', true],
    [{}, 0, false],
    [{}, '0', false],
    [{}, 'OK', false],
    [{}, undefined, false],
  ])('%j of %j: %s', (rule, s, raised) => {
    expect(flagsOf(rule, { s })).toEqual(raised ? ['tamper'] : []);
  });
});

describe('names', () => {
  const decode = decoder({ custom: [PLAIN] });
  const nameOf = (topic: string): string =>
    (told(decode(topic, '{"p":1}')) as readonly { meter: string }[])[0]?.meter ?? '';

  test('one that is too long ends in a hash of the whole, and stays a name', () => {
    const [one, other] = [nameOf(`plant/a/${'ж'.repeat(40)}1`), nameOf(`plant/a/${'ж'.repeat(40)}2`)];
    expect([parseMeterId(one), parseMeterId(other)]).toEqual([one, other]);
    expect(one).not.toBe(other);
  });

  test('two topics never give one name', () => {
    const level = fc.stringMatching(/^[a-b0-2 .:_-]{1,4}$/);
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(level, level, (site, id) => {
        const topic = `plant/${site}/${id}`;
        const name = nameOf(topic);
        expect(seen.get(name) ?? topic).toBe(topic);
        seen.set(name, topic);
      }),
      { seed, numRuns: 3_000 },
    );
  });

  test('half a character makes no name', () => {
    expect(take({ meter: 'x:{payload.n}' }, { p: 1, n: '\ud800' })).toBe('bad_meter_id');
  });
});

test('one of your own is asked before the shipped ones', () => {
  const decode = decoder({ enabled: SHIPPED_FEEDS, custom: [{ ...PLAIN, topics: ['tele/{site}/{id}'] }] });
  expect(told(decode('tele/plug1/SENSOR', '{"p":1,"ENERGY":{"Power":2}}'))).toMatchObject([{ meter: 'plug1:SENSOR' }]);
});

test('only_if', () => {
  const only_if = [{ path: 'kind', is: ['e', '1'] }];
  expect(
    [{ kind: 'e' }, { kind: 1 }, { kind: 'w' }, { kind: null }, {}].map(
      (more) => take({ only_if }, { p: 1, ...more }) === 'ignored',
    ),
  ).toEqual([false, false, true, true, true]);
});

test('any JSON on any topic gets an answer, and a sample holds numbers only', { timeout: 120_000 }, () => {
  const custom: Mapping[] = [
    {
      ...PLAIN,
      topics: ['plant/{site}/{id}'],
      each: '*',
      meter: '{site}:{id}:{group}:{payload.id}',
      values: [
        { as: 'power_w', path: ['p', 'q[0]'], plus: ['a'], minus: ['b'], unit: 'kW' },
        { as: 'import_delta_wh', path: 'a', unit: 'J' },
      ],
      time: { path: ['t', 'Time'], format: ['dsmr', 'iso', 'epoch_s'] },
      flags: [
        { flag: 'fault', path: 's', bit: 3 },
        { flag: 'tamper', path: 's', contains: ['x'] },
        { flag: 'outage', path: 's' },
      ],
    },
  ];
  const decode = decoder({ enabled: SHIPPED_FEEDS, custom });
  const leaf = fc.oneof(
    fc.jsonValue(),
    fc.double(),
    fc.string(),
    fc.constantFrom(
      'unknown',
      '1.5',
      '2025-10-26T02:30:00',
      '251026023000S',
      '9999-12-31T23:59:59-23:59',
      '0000-01-01 00:00',
      'ERROR',
    ),
    fc.array(fc.oneof(fc.double(), fc.jsonValue())),
  );
  const keys = [
    'Time',
    'ENERGY',
    'Power',
    'Total',
    'Voltage',
    'SML',
    'Total_in',
    'Power_curr',
    'apower',
    'aenergy',
    'ret_aenergy',
    'total',
    'act_power',
    'errors',
    'power',
    'energy',
    'power_factor',
    'last_seen',
    'timestamp',
    'electricity_delivered_1',
    'electricity_delivered_2',
    'electricity_currently_delivered',
    'media',
    'id',
    'status',
    'total_energy_consumption_kwh',
    'p',
    'q',
    'a',
    'b',
    't',
    's',
    '__proto__',
    'constructor',
  ];
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof({ maxDepth: 4 }, leaf, fc.dictionary(fc.constantFrom(...keys), tie('node'), { maxKeys: 12 })),
  }));
  const topic = fc.constantFrom(
    'tele/x/SENSOR',
    'x/status/switch:0',
    'x/status/em:0',
    'x/status/em1data:1',
    'zigbee2mqtt/ä/b',
    'dsmr/json',
    'wmbusmeters/1',
    'plant/a/b',
    'meters/m/reading',
  );
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  let samples = 0;
  fc.assert(
    fc.property(
      topic,
      fc.oneof(node, fc.dictionary(fc.constantFrom(...keys), node, { maxKeys: 12 })),
      fc.option(fc.double(), { nil: undefined }),
      (where, json, near) => {
        const items = decode(where, JSON.stringify(json) ?? 'null', near);
        if (items === undefined || items === 'ignored' || 'reason' in items) return;
        for (const item of items) {
          expect(JSON.stringify(item.raw)).toBeTypeOf('string');
          if ('refusal' in item) continue;
          samples += 1;
          const { values, importDeltaWh = 0, ownTimeMs = 0, meter } = item.sample;
          const kinds = new Set([...Object.values(values), importDeltaWh].map((value) => typeof value));
          expect(['number', 'undefined']).toEqual(expect.arrayContaining([...kinds]));
          expect(Number.isSafeInteger(ownTimeMs)).toBe(true);
          expect(meter.length).toBeLessThanOrEqual(64);
        }
      },
    ),
    { seed, numRuns: 2_500 },
  );
  expect(samples).toBeGreaterThan(10);
});
