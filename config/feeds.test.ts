import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { WattwardenError } from '../agent/domain/errors.js';
import { feeds } from './feeds.js';
import { loadSettings } from './load.js';
import { settingsSchema } from './schema.js';

const GOOD = {
  name: 'plant',
  topics: ['plant/{site}/{id}'],
  meter: 'plant:{site}:{id}',
  values: [{ as: 'power_w', path: 'p', unit: 'W' }],
};

/** As the environment gives it: the same way as a file, and no file to write. */
function faultsOf(custom: unknown): readonly string[] {
  try {
    loadSettings({ env: { WATTWARDEN_FEEDS_CUSTOM: JSON.stringify(custom) } });
  } catch (error) {
    if (error instanceof WattwardenError)
      return error.message.split('\n').map((line) => line.replace(/ from WATT\w+\)$/, ')'));
    throw error;
  }
  return [];
}

test('native alone is on, in the zone of the machine', () => {
  expect(settingsSchema.parse({}).feeds).toEqual({ enabled: ['native'], custom: [] });
});

test('the example of docs/feeds.md is taken', () => {
  const page = readFileSync(new URL('../docs/feeds.md', import.meta.url), 'utf8');
  const example = [...page.matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, text = '']) => text)
    .find((text) => text.includes('custom:'));
  expect(feeds.parse(parse(example ?? '').feeds).custom).toMatchObject([{ name: 'plant' }]);
});

test.each<[string, object, string]>([
  ['topics[0]', { topics: ['plant/+/x'] }, '(got "plant/+/x")'],
  ['except[0]', { except: ['plant/#'] }, '(got "plant/#")'],
  ['meter', { meter: 'a b' }, '(got "a b")'],
  ['meter', { meter: '{site}-{id}' }, 'a colon between any two'],
  ['topics[1]', { topics: ['plant/{site}/{id}', 'x/{id}'] }, 'must name {site}, because `meter` asks for it'],
  ['meter', { meter: '{group}' }, 'may name {group} only together with `each`'],
  ['meter', { each: '*' }, 'must name {group} or {payload.…}'],
  ['each', { each: 'a.b' }, 'must be * or a path that ends in .*'],
  [
    'values[0].unit',
    { values: [{ as: 'power_w', path: 'p', unit: 'kWh' }] },
    'must be one of W, kW, MW, mW for power_w (got "kWh")',
  ],
  ['values[0].unit', { values: [{ as: 'power_w', path: 'p', unit: 'kVA' }] }, '(got "kVA")'],
  ['values[0].unit', { values: [{ as: 'power_w', path: 'p' }] }, 'must be given: one of W'],
  ['values[0].as', { values: [{ as: 'power', path: 'p', unit: 'W' }] }, 'must be one of power_w'],
  ['values[0].path', { values: [{ as: 'power_w', path: 'p..q', unit: 'W' }] }, 'must be a path like'],
  ['values[0].scale', { values: [{ as: 'power_w', path: 'p', unit: 'W', scale: 0 }] }, 'must be a number other than 0'],
  ['values[1].as', { values: [GOOD.values[0], GOOD.values[0]] }, 'may stand once'],
  [
    'values[0].sclae',
    { values: [{ as: 'power_w', path: 'p', unit: 'W', sclae: 2 }] },
    'did you mean feeds.custom[1 bad].values[0].scale?',
  ],
  ['time.zone', { time: { path: 't', format: 'iso', zone: 'Mars' } }, '(got "Mars")'],
  ['time.format', { time: { path: 't', format: 'iso8601' } }, 'must be one or a list of iso'],
  [
    'flags[0].contains',
    { flags: [{ flag: 'fault', path: 's', bit: 1, contains: ['x'] }] },
    'may not be set together with `bit`',
  ],
  ['register_max_wh', { register_max_wh: -1 }, 'must be a number above 0'],
])('a fault names mapping and key: %s in %j', (key, change, words) => {
  const lines = faultsOf([GOOD, { ...GOOD, name: 'bad', ...change }]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`feeds.custom[1 bad].${key}: `);
  expect(lines[0]).toContain(words);
});

test('names are ours or yours, and each once', () => {
  expect(faultsOf([{ ...GOOD, name: 'tasmota' }])[0]).toContain(
    'feeds.custom[0 tasmota].name: must be none of native, tasmota',
  );
  expect(faultsOf([GOOD, GOOD])[0]).toContain('feeds.custom: must be a list that names each mapping once');
  expect(faultsOf([])).toEqual([]);
});

test('a zone that nobody knows', () => {
  expect(() => loadSettings({ env: { WATTWARDEN_FEEDS_TIME_ZONE: 'Europe/Berlim' } })).toThrow(
    'feeds.time_zone: must be a time zone',
  );
});
