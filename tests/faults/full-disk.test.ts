import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { connectAsync } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type RunningGateway, startGateway, wattwarden } from '../kit/command.js';
import { openRawMeter, type RawMeter } from '../kit/raw-meter.js';
import { canMount, openSmallDisk, type SmallDisk } from '../kit/small-disk.js';
import { compare, storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const MIB = 1_048_576;
const RESERVE = 4 * MIB;

interface Scene {
  readonly disk: SmallDisk;
  readonly config: string;
  readonly buffer: string;
}

function prepare(diskBytes: number, settings: object = {}): Scene {
  const disk = openSmallDisk(diskBytes);
  opened.push(disk.close);
  const dataDir = join(disk.dir, 'data');
  const config = join(disk.dir, 'gateway.yaml');
  const document = {
    version: 1,
    gateway: { data_dir: dataDir },
    mqtt: { port: 0 },
    http: { port: 0 },
    models: { enabled: false },
    buffer: { reserve_bytes: RESERVE, ballast_bytes: 2 * MIB, slot_grace_s: 0 },
    ...settings,
  };
  writeFileSync(config, stringify(document));
  return { disk, config, buffer: join(dataDir, 'buffer.sqlite') };
}

async function start(config: string): Promise<RunningGateway> {
  const gateway = await startGateway(config);
  opened.push(gateway.stop);
  return gateway;
}

function openMeter(gateway: RunningGateway, name: string, ownTime = true): RawMeter {
  const meter = openRawMeter({ name, port: Number(gateway.mqtt.split(':')[1]), qos: 1, ownTime, inFlight: 50 });
  opened.push(() => meter.close());
  return meter;
}

const stepOf = async ({ http }: RunningGateway): Promise<string> => {
  const { checks } = (await (await fetch(`${http}/healthz`)).json()) as { checks: { disk: { detail: string } } };
  return checks.disk.detail;
};

/** Readings of a meter in stored slots, and those of the log that no slot has yet. */
function slotCounts(buffer: string): ReadonlyMap<string, number> {
  const db = new Database(buffer, { readonly: true });
  try {
    const sql = 'select m.name, sum(s.count) from slot s join meter m on m.id = s.meter group by m.name';
    return new Map(db.prepare(sql).raw().all() as [string, number][]);
  } finally {
    db.close();
  }
}

test.skipIf(!canMount())(
  'a disk that something else fills: nothing is acknowledged without storage, and ingest returns by itself (needs mount)',
  async () => {
    const { disk, config, buffer } = prepare(32 * MIB);
    const gateway = await start(config);
    // Without a time of its own a reading belongs to now: its slot is open, and it cannot be thinned.
    const meter = openMeter(gateway, 'a', false);
    await until('readings come in', () => meter.acknowledged.length > 200);
    for (let round = 0; round < 2; round += 1) {
      disk.fill();
      const stuck = await until('nothing is acknowledged any more', async () => {
        if (!gateway.output().includes('nothing is taken in until there is room')) return undefined;
        const before = meter.acknowledged.length;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return meter.acknowledged.length === before ? before : undefined;
      });
      expect(await stepOf(gateway)).toMatch(/full/);
      expect(compare([...meter.acknowledged], storedValues(buffer).get('a')).lost).toEqual([]);
      disk.free();
      const freedMs = performance.now();
      await until('readings come in again', () => meter.acknowledged.length > stuck, { withinMs: 10_000 });
      console.log(`ingest returned after ${Math.round(performance.now() - freedMs)} ms`);
    }
    await meter.drain();
    const { lost, twice } = compare([...meter.acknowledged], storedValues(buffer).get('a'));
    expect({ lost, twice, missing: meter.made - meter.acknowledged.length }).toEqual({
      lost: [],
      twice: 0,
      missing: 0,
    });
    await until('all is well again', async () => (await stepOf(gateway)).startsWith('Room for'), { withinMs: 30_000 });
  },
  120_000,
);

/** Publishes batches of readings of the past until so many are acknowledged: a hundred to a message. */
async function publishMany(gateway: RunningGateway, readings: number): Promise<void> {
  const client = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 200 });
  opened.push(async () => await client.endAsync(true));
  const beganMs = Date.now() - 6 * 3_600_000;
  for (let sent = 0; sent < readings; sent += 1_000) {
    const messages = Array.from({ length: 10 }, (_, index) => {
      const from = sent + index * 100;
      const values = Array.from({ length: 100 }, (_, at) => ({ ts: beganMs + (from + at) * 50, power_w: 100 + at }));
      return client.publishAsync('meters/b/reading', JSON.stringify(values), { qos: 1 });
    });
    await Promise.all(messages);
  }
}

const READINGS = 250_000;

test.skipIf(!canMount()).each([
  ['a disk', 12 * MIB, undefined],
  ['a buffer with a bound', 64 * MIB, 8 * MIB],
])(
  '%s that is too small for the log: readings are thinned into their slots, and none is missing there (needs mount)',
  async (_what, diskBytes, maxBytes) => {
    const bounds = { reserve_bytes: RESERVE, ballast_bytes: 2 * MIB, slot_grace_s: 0 };
    const bounded = maxBytes === undefined ? bounds : { ...bounds, max_bytes: maxBytes };
    const { config, buffer } = prepare(diskBytes, { buffer: bounded });
    const gateway = await start(config);
    await publishMany(gateway, READINGS);
    await until('all slots are stored', () => slotCounts(buffer).get('b') === READINGS, { withinMs: 30_000 });
    await until('there was need', () => gateway.output().includes('readings are thinned into their slots'));
    const left = storedValues(buffer).get('b')?.length ?? 0;
    console.log(`${READINGS} readings acknowledged, ${left} left in the log, all in slots`);
    expect(left).toBeLessThan(READINGS);
    await gateway.stop();
    const again = await start(config);
    expect(slotCounts(buffer).get('b')).toBe(READINGS);
    await again.stop();
  },
  120_000,
);

test.skipIf(!canMount())(
  'on a full disk a gateway without a buffer says what to do; one with a ballast starts (needs mount)',
  async () => {
    const { disk, config, buffer } = prepare(24 * MIB);
    mkdirSync(join(disk.dir, 'data'));
    disk.fill();
    const { code, stderr, stdout } = await wattwarden('run', '--config', config);
    expect(code).not.toBe(0);
    expect(stderr + stdout).toContain('buffer.no_room');
    expect(stderr + stdout).toContain('Delete something else on the disk');
    disk.free();

    const first = await start(config);
    const meter = openMeter(first, 'a');
    await until('the ballast is there', () => disk.freeBytes() < 24 * MIB - 2 * MIB);
    await until('readings come in', () => meter.acknowledged.length > 50);
    await meter.drain();
    await first.stop();
    disk.fill();
    const second = await start(config);
    await until('all are in slots', () => slotCounts(buffer).get('a') === meter.made);
    disk.free();
    const other = openMeter(second, 'c');
    await until('readings come in again', () => other.acknowledged.length > 50, { withinMs: 10_000 });
  },
  120_000,
);
