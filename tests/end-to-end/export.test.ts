import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openBuffer } from '../../agent/buffer/buffer.js';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { systemClock } from '../../agent/domain/clock.js';
import { silentLogger } from '../../agent/domain/log.js';
import type { Reading } from '../../agent/domain/reading.js';
import { type RunningGateway, startGateway, succeeds, wattwarden } from '../kit/command.js';
import { openRawMeter } from '../kit/raw-meter.js';

let dir = '';
let running: RunningGateway[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-export-'));
  running = [];
});
afterEach(async () => {
  for (const gateway of running) await gateway.stop();
  rmSync(dir, { recursive: true, force: true });
});

const ROUNDS = 2_500;
const BEGAN_MS = Date.parse('2026-01-10T00:00:00Z');
const FROM = '2026-01-10T02:00Z';
const TO = '2026-01-10T05:00Z';

function configure(name: string): { readonly config: string; readonly buffer: string } {
  const config = join(dir, `${name}.yaml`);
  const data = join(dir, name);
  const settings = {
    version: 1,
    gateway: { name, data_dir: data },
    mqtt: { port: 0 },
    http: { port: 0 },
    models: { enabled: false },
    buffer: { retention_days: 1_000 },
  };
  writeFileSync(config, stringify(settings));
  return { config, buffer: join(data, 'buffer.sqlite') };
}

/** Two meters for some hours, every fifth reading of one of them stored twice, and out of order. */
async function fill(config: string, path: string): Promise<void> {
  // Started once, so that the file is the program's own.
  await (await startGateway(config)).stop();
  const buffer = openBuffer({
    path,
    clock: systemClock,
    log: silentLogger,
    slotGraceMs: 0,
    maxRejected: 1,
    maxRejectedBytes: 1e6,
    retentionMs: 1e12,
    keepUnsettled: false,
  });
  const read = (meter: string, round: number, powerW: number): Reading => {
    const takenAtMs = epochMs(BEGAN_MS + round * 10_000);
    const base = {
      meter: meter as MeterId,
      takenAtMs,
      receivedAtMs: takenAtMs,
      timeSource: 'meter' as const,
      flags: 0,
    };
    return { ...base, powerW, importWh: round, voltageV: 230.5 };
  };
  buffer.registerMeters([
    { id: 'f' as MeterId, kind: 'feeder' },
    { id: 'a' as MeterId, kind: 'customer', feeder: 'f' as MeterId, ratedPowerW: 6_000 },
  ]);
  for (let round = 0; round < ROUNDS; round += 1) {
    const readings = [read('a', round, 100 + (round % 9)), read('b', round, 200)];
    if (round % 5 === 0 && round > 50) readings.push(read('a', round - 50, 999));
    buffer.commit({ readings, rejected: [] });
  }
  while (buffer.closeSlots(systemClock.now(), 1_000).more);
  buffer.close();
}

interface Contents {
  readonly rows: number;
  readonly readings: ReadonlyMap<string, number | null>;
  readonly energyMwh: number;
}

function contents(path: string, meter?: string): Contents {
  const reader = openReader(path);
  try {
    const [from, to] = [Date.parse(FROM), Date.parse(TO)];
    const all = reader.stream('reading', 0, 1e6);
    const rows = all.filter(
      (row) => row.takenAtMs >= from && row.takenAtMs < to && (meter === undefined || row.meter === meter),
    );
    const readings = new Map<string, number | null>();
    for (const row of rows) {
      const key = `${row.meter} ${row.takenAtMs}`;
      if (!readings.has(key)) readings.set(key, row.powerDw);
    }
    // Within the range: the energy of its first and last slot also tells of what was before and after it.
    const slots = reader.slotsOf((meter ?? 'a') as MeterId, epochMs(from + 300_000), epochMs(to - 300_000));
    return { rows: all.length, readings, energyMwh: slots.reduce((sum, { energyMwh }) => sum + energyMwh, 0) };
  } finally {
    reader.close();
  }
}

const exportRange = (config: string, file: string, ...given: string[]): Promise<string> =>
  succeeds('export', '--config', config, '--from', FROM, '--to', TO, '--out', file, '--json', ...given);
const keyIn = (said: string): string => (JSON.parse(said) as { publicKey: string }).publicKey;
const importInto = (config: string, file: string, ...given: string[]) =>
  wattwarden('import', file, '--config', config, '--json', ...given);

test('what one gateway exports another imports, once, whether it runs or not', { timeout: 120_000 }, async () => {
  const from = configure('origin');
  await fill(from.config, from.buffer);
  running.push(await startGateway(from.config));
  const file = join(dir, 'range.wwx');
  const said = await exportRange(from.config, file);
  const expected = contents(from.buffer);
  expect(JSON.parse(said)).toMatchObject({ readings: expected.readings.size });
  expect(expected.rows).toBeGreaterThan(2 * ROUNDS);

  // One that has never run.
  const stopped = configure('stopped');
  const alive = configure('alive');
  const gateway = await startGateway(alive.config);
  running.push(gateway);
  const meter = openRawMeter({
    name: 'live',
    port: Number(gateway.mqtt.split(':').at(-1)),
    qos: 1,
    ownTime: true,
    everyMs: 5,
  });
  const trusted = ['--trusted-key', keyIn(said)];
  for (const { config, buffer } of [stopped, alive]) {
    const first = await importInto(config, file, ...trusted);
    expect({ ...first, stdout: JSON.parse(first.stdout) }).toMatchObject({
      code: 0,
      stdout: { stored: expected.readings.size, known: 0, unusable: 0 },
    });
    const again = await importInto(config, file, ...trusted);
    expect(JSON.parse(again.stdout)).toMatchObject({ stored: 0, known: expected.readings.size });
    expect(contents(buffer).readings).toEqual(expected.readings);
  }
  await meter.drain();
  meter.close();
  expect(meter.acknowledged.length).toBe(meter.made);
  const imported = contents(stopped.buffer);
  expect(imported.rows).toBe(expected.readings.size);
  expect(imported.energyMwh).toBe(expected.energyMwh);
  const reader = openReader(stopped.buffer);
  expect(reader.meters().find(({ id }) => id === 'a')).toMatchObject({ feeder: 'f', ratedPowerW: 6_000 });
  reader.close();
});

test('a file that is cut short, changed anywhere or signed by a stranger: a clear error, and nothing is stored', {
  timeout: 120_000,
}, async () => {
  const from = configure('origin');
  await fill(from.config, from.buffer);
  const file = join(dir, 'range.wwx');
  const trusted = ['--trusted-key', keyIn(await exportRange(from.config, file, '--meter', 'b'))];
  const into = configure('into');
  await (await startGateway(into.config)).stop();

  const bytes = readFileSync(file);
  const harmed = join(dir, 'harmed.wwx');
  const places = [3, 30, 100, Math.floor(bytes.length / 2), bytes.length - 3];
  const variants: readonly Buffer[] = [
    bytes.subarray(0, 10),
    bytes.subarray(0, Math.floor(bytes.length / 2)),
    bytes.subarray(0, bytes.length - 1),
    Buffer.concat([bytes, Buffer.from('R')]),
    ...places.map((place) => {
      const flipped = Buffer.from(bytes);
      flipped[place] = (flipped[place] ?? 0) ^ 4;
      return flipped;
    }),
  ];
  for (const variant of variants) {
    writeFileSync(harmed, variant);
    const { code, stderr } = await importInto(into.config, harmed, ...trusted);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('export.unreadable') });
  }
  const foreign = await importInto(into.config, file);
  expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining('export.bad_signature') });
  expect(contents(into.buffer).rows).toBe(0);

  const there = await wattwarden('export', '--config', from.config, '--from', FROM, '--to', TO, '--out', file);
  expect(there).toMatchObject({ code: 1, stderr: expect.stringContaining('export.exists') });
  const whole = await importInto(into.config, file, ...trusted);
  expect(JSON.parse(whole.stdout)).toMatchObject({ stored: contents(from.buffer, 'b').readings.size });
  expect(contents(into.buffer).readings).toEqual(contents(from.buffer, 'b').readings);
});
