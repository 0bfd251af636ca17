import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWideCsv, type WideCsvOptions } from './wide-csv.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-csv-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const OPTIONS: WideCsvOptions = { slotMinutes: 5, unit: 'kW' };

async function load(
  text: string | Uint8Array,
  { name = 'power.csv', ...options }: Partial<WideCsvOptions> & { name?: string } = {},
) {
  const path = join(dir, name);
  await writeFile(path, text);
  return loadWideCsv(path, { ...OPTIONS, ...options });
}

test('columns become series in watts, with gaps where a value or a row is missing', async () => {
  const text = 'time,a,b\n2024-01-01 00:00:00,1.5,\n2024-01-01T00:10:00Z,2,0\n';
  for (const { series } of [await load(text), await load(gzipSync(text), { name: 'power.csv.gz' })]) {
    expect(series.map(({ meter, startMs, powerW }) => [meter, startMs, Array.from(powerW)])).toEqual([
      ['a', Date.UTC(2024, 0, 1), [1_500, Number.NaN, 2_000]],
      ['b', Date.UTC(2024, 0, 1), [Number.NaN, Number.NaN, 0]],
    ]);
  }
});

test('energy per slot becomes mean power, and the unit can be guessed', async () => {
  const half = 'time,a\n2024-01-01T00:00:00Z,0.25\n2024-01-01T00:30:00Z,0.5\n';
  const known = await load(half, { slotMinutes: 30, unit: 'kWh' });
  expect(Array.from(known.series[0]?.powerW ?? [])).toEqual([500, 1_000]);
  expect(await load(half, { slotMinutes: 30, unit: 'auto' })).toEqual(known);
  expect((await load(half, { slotMinutes: 15, unit: 'auto' })).unit).toBe('kW');
  expect((await load('time,a\n2024-01-01T00:00:00Z,340\n', { unit: 'auto' })).unit).toBe('W');
});

test('voltage and weather are no meters, temperature is kept, and columns can be named', async () => {
  const text = 'time,Temperature,home,Voltage,Wind Speed\n2024-01-01T00:00:00Z,7.5,1,231,3\n';
  const { series, leftOut } = await load(text);
  expect(series.map(({ meter }) => meter)).toEqual(['home']);
  expect(leftOut).toEqual(['Temperature', 'Voltage', 'Wind Speed']);
  expect(Array.from(series[0]?.temperatureC ?? [])).toEqual([7.5]);
  expect((await load(text, { columns: ['Voltage'] })).series.map(({ meter }) => meter)).toEqual(['Voltage']);
  await expect(load(text, { columns: ['house'] })).rejects.toThrow('there is no column “house”');
});

test.each([
  ['an empty file', '', 'is empty'],
  ['a header alone', 'time,a\n', 'no row'],
  ['no meter', 'time\n', 'no column behind the time'],
  ['a missing column', 'time,a,b\n2024-01-01,1\n', 'line 2: 2 columns, the header has 3'],
  ['a word for a number', 'time,a\n2024-01-01T00:00:00,x\n', 'not a number'],
  ['a time between slots', 'time,a\n2024-01-01T00:02:00,1\n', 'not a time on a full 5 minutes'],
  ['a day that no calendar has', 'time,a\n2024-02-30T00:00:00,1\n', 'not a time on a full 5 minutes'],
  ['no time at all', 'time,a\nyesterday,1\n', 'not a time on a full 5 minutes'],
  ['time that goes back', 'time,a\n2024-01-01T00:05:00,1\n2024-01-01T00:00:00,1\n', 'line 3'],
  [
    'a value that float32 cannot hold',
    'time,a,b\n2024-01-01T00:00:00,1,\n\n2024-01-01T00:05:00,1,1e39\n',
    'line 4: “b” has',
  ],
  ['a value that no meter measures', 'time,a\n2024-01-01T00:00:00,3e33\n', 'line 2: “a” has more than 1000 GW'],
  ['one below zero', 'time,a\n2024-01-01T00:00:00,-1.1e9\n', 'line 2: “a” has more than 1000 GW'],
  ['a temperature of no place', 'time,a,temp\n2024-01-01T00:00:00,1,3e33\n', 'line 2: “temp” has'],
  ['two columns of one name', 'time,a,b,a\n2024-01-01T00:00:00,1,2,3\n', 'two columns “a”'],
  ['a file without a header', '2024-01-01T00:00:00,1\n2024-01-01T00:05:00,1\n', 'line 1 begins with a time'],
  ['days without a header', '2024-01-01 00:00,1\n2024-01-01 00:05,1\n', 'it must name the columns'],
  ['a name that no meter can have', 'time,a b\n2024-01-01T00:00:00,1\n', 'cannot be the name'],
])('%s is a clear error', async (_, text, message) => {
  await expect(load(text)).rejects.toThrow(message);
});

test('what a meter of a power station has is taken, and a column may be named as the time is', async () => {
  const { series } = await load('time,a,time\n2024-01-01T00:00:00,1e9,1\n');
  expect(series.map(({ powerW }) => Array.from(powerW))).toEqual(
    [[1e12], [1_000]].map(([watts = 0]) => [Math.fround(watts)]),
  );
});

test('what is no gzip file under its name is a clear error, which names the file', async () => {
  await expect(load('time,a\n', { name: 'plain.csv.gz' })).rejects.toThrow(/plain\.csv\.gz: .*header/);
});

test('an archive that is damaged or cut off is an error, also where a line of it is wrong first', async () => {
  const rows = Array.from({ length: 4_000 }, (_, slot) => `${new Date(slot * 300_000).toISOString()},${slot % 97}`);
  const whole = gzipSync(`time,a\n${rows.join('\n')}\n`);
  const half = whole.subarray(0, whole.length / 2);
  await expect(load(half, { name: 'half.csv.gz' })).rejects.toThrow(/half\.csv\.gz: unexpected end/);
  for (const place of [0.25, 0.5, 0.75, 0.999]) {
    const flipped = Uint8Array.from(whole);
    const at = Math.floor(whole.length * place);
    flipped[at] = (flipped[at] ?? 0) ^ 0xff;
    await expect(load(flipped, { name: 'flipped.csv.gz' })).rejects.toThrow(/flipped\.csv\.gz: /);
  }
});

test('a file that is not there is an error, not a hang', async () => {
  await expect(loadWideCsv(join(dir, 'nowhere.csv'), OPTIONS)).rejects.toThrow('ENOENT');
  await expect(loadWideCsv(join(dir, 'nowhere.csv.gz'), OPTIONS)).rejects.toThrow('ENOENT');
});
