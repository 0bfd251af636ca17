import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { connectAsync } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from '../../agent/buffer/schema.js';
import { type RunningGateway, wattwarden } from '../kit/command.js';
import { BALLAST_BYTES, type DiskScene, MIB, openDiskScene } from '../kit/disk-scene.js';
import { openRawMeter, type RawMeter } from '../kit/raw-meter.js';
import { canMount } from '../kit/small-disk.js';
import { compare, storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';

/** A disk that something else has filled. */

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function prepare(diskBytes: number): DiskScene {
  const scene = openDiskScene(diskBytes);
  opened.push(scene.close);
  return scene;
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

const REFUSES = 'nothing is taken in until there is room';

test.skipIf(!canMount())(
  'a disk that something else fills: nothing is acknowledged without storage, and ingest returns by itself (needs mount)',
  async () => {
    const { disk, buffer, start } = prepare(32 * MIB);
    const gateway = await start();
    // Without a time of its own a reading belongs to now: its slot is open, and it cannot be thinned.
    const meter = openMeter(gateway, 'a', false);
    await until('readings come in', () => meter.acknowledged.length > 200);
    for (let round = 0; round < 2; round += 1) {
      const stuck = await until('nothing is acknowledged any more', async () => {
        disk.fill(); // what is released for the buffer, too
        if (!gateway.output().includes(REFUSES)) return undefined;
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

/** Half a minute, and what a busy machine adds to it. */
const PATIENCE = { leastMs: 29_000, mostMs: 60_000 };

test.skipIf(!canMount())(
  'whoever waits for half a minute is disconnected, sends again, and is answered when there is room (needs mount)',
  async () => {
    const { disk, buffer, start } = prepare(32 * MIB);
    const gateway = await start();
    const meter = openMeter(gateway, 'a', false);
    await until('readings come in', () => meter.acknowledged.length > 0);
    await until('nothing is taken in', () => {
      disk.fill();
      return gateway.output().includes(REFUSES);
    });
    const client = await connectAsync(`mqtt://${gateway.mqtt}`, { clientId: 'patient', reconnectPeriod: 100 });
    opened.push(async () => await client.endAsync(true));
    let closes = 0;
    client.on('close', () => (closes += 1));
    const sentMs = performance.now();
    let isAnswered = false;
    const answer = client.publishAsync('meters/b/reading', JSON.stringify({ power_w: 7 }), { qos: 1 });
    void answer.then(() => (isAnswered = true));
    await until('it is disconnected', () => closes > 0, { withinMs: PATIENCE.mostMs });
    const waitedMs = performance.now() - sentMs;
    console.log(`disconnected after ${Math.round(waitedMs)} ms`);
    expect(waitedMs).toBeGreaterThan(PATIENCE.leastMs);
    await until('it is there again', () => client.connected);
    expect(isAnswered).toBe(false);
    expect(storedValues(buffer).get('b')).toBeUndefined();
    disk.free();
    await answer;
    expect(storedValues(buffer).get('b')).toEqual([70]);
    await meter.drain();
    expect(compare([...meter.acknowledged], storedValues(buffer).get('a'))).toEqual({ lost: [], twice: 0 });
  },
  180_000,
);

const VERSION_BEFORE = SCHEMA_VERSION - 1;

/** As a program of the version before left it. */
function makeFileOfBefore(path: string): void {
  const db = new Database(path);
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  for (const sql of MIGRATIONS.slice(0, VERSION_BEFORE)) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${VERSION_BEFORE}`);
  db.exec(`insert into setting (name, value) values ('log_id', '01234567-89ab-cdef-0123-456789abcdef')`);
  db.exec(`insert into meter (id, name, kind) values (1, 'a', 'customer')`);
  db.exec(`insert into reading (meter, taken_at_ms, time_source, received_at_ms, boot, monotonic_ms, power_dw, flags)
    values (1, ${Date.now()}, 0, ${Date.now()}, 1, 0, 1234, 0)`);
  db.close();
}

function versionOf(path: string): unknown {
  const db = new Database(path, { readonly: true });
  try {
    return db.pragma('user_version', { simple: true });
  } finally {
    db.close();
  }
}

test.skipIf(!canMount())(
  'a new version on a full disk says how much room it needs, and takes it from the ballast when there is one (needs mount)',
  async () => {
    const { disk, config, buffer, dataDir, start } = prepare(64 * MIB);
    mkdirSync(dataDir);
    makeFileOfBefore(buffer);
    disk.fill(2 * MIB);
    const { code, stderr, stdout } = await wattwarden('run', '--config', config);
    expect(code).not.toBe(0);
    expect(stderr + stdout).toContain('buffer.no_room');
    expect(stderr + stdout).toMatch(/needs \d+ MiB of free disk/);
    expect(stderr + stdout).toContain('Delete something else on the disk');
    expect(versionOf(buffer)).toBe(VERSION_BEFORE);

    disk.free();
    writeFileSync(`${buffer}.ballast`, Buffer.alloc(30 * MIB, 'x'));
    disk.fill(2 * MIB);
    const gateway = await start();
    expect(versionOf(buffer)).toBe(SCHEMA_VERSION);
    expect(versionOf(`${buffer}.before-v${SCHEMA_VERSION}`)).toBe(VERSION_BEFORE);
    expect(storedValues(buffer).get('a')).toEqual([1234]);
    expect(statSync(`${buffer}.ballast`, { throwIfNoEntry: false })?.size ?? 0).toBeLessThanOrEqual(BALLAST_BYTES);
    await gateway.stop();
  },
  120_000,
);

function inSlots(buffer: string): number {
  const db = new Database(buffer, { readonly: true });
  try {
    return db.prepare<[], number>('select coalesce(sum(count), 0) from slot').pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

test.skipIf(!canMount())(
  'on a full disk a gateway without a buffer says what to do; one with a ballast starts (needs mount)',
  async () => {
    const { disk, config, buffer, dataDir, start } = prepare(24 * MIB);
    mkdirSync(dataDir);
    disk.fill();
    const { code, stderr, stdout } = await wattwarden('run', '--config', config);
    expect(code).not.toBe(0);
    expect(stderr + stdout).toContain('buffer.no_room');
    expect(stderr + stdout).toContain('Delete something else on the disk');
    disk.free();

    const first = await start();
    const meter = openMeter(first, 'a');
    await until('the ballast is there', () => disk.freeBytes() < 24 * MIB - BALLAST_BYTES);
    await until('readings come in', () => meter.acknowledged.length > 50);
    await meter.drain();
    await first.stop();
    disk.fill();
    const second = await start();
    await until('all are in slots', () => inSlots(buffer) === meter.made);
    disk.free();
    const other = openMeter(second, 'c');
    await until('readings come in again', () => other.acknowledged.length > 50, { withinMs: 10_000 });
  },
  120_000,
);
