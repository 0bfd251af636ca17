import { connectAsync } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import type { StoredSlot } from '../../agent/domain/stored.js';
import { openCentre } from '../kit/centre.js';
import type { RunningGateway } from '../kit/command.js';
import { type DiskScene, MIB, openDiskScene } from '../kit/disk-scene.js';
import { openLoneGateway } from '../kit/lone-gateway.js';
import { canMount } from '../kit/small-disk.js';
import { storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';

/** A disk that is too small for the log: what the centre has goes first, then single readings, which live on in their slots. */

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const TIMEOUT_MS = 240_000;
const HOUR_MS = 3_600_000;
const BEGAN_MS = Date.now() - 6 * HOUR_MS;
const EVERY_MS = 150;
/** In one message. */
const BLOCK = 100;
const BLOCKS_AT_ONCE = 4;
const METERS = ['power', 'register', 'gaps'] as const;
/** One meter is not heard in every third of these. */
const GAP_MS = 20 * 60_000;

type Meter = (typeof METERS)[number];

const isHeard = (meter: Meter, ms: number): boolean => meter !== 'gaps' || Math.floor(ms / GAP_MS) % 3 !== 1;

/** What a meter says after so many intervals: its register in tenths of a Wh, as the buffer keeps it. */
function read(meter: Meter, index: number) {
  const ms = index * EVERY_MS;
  const power_w = 100 + ((index * 7) % 900);
  const registered = { import_wh: 1_000 + Math.floor(index / 3) / 10 };
  return { ts: BEGAN_MS + ms, power_w, ...(meter === 'power' ? {} : registered) };
}

/** Of each meter the readings of so many intervals, all acknowledged when it resolves; gives how many those are. */
async function publish(gateway: RunningGateway, from: number, to: number): Promise<number> {
  const client = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 200 });
  let sent = 0;
  try {
    for (let block = from; block < to; block += BLOCK * BLOCKS_AT_ONCE) {
      const blocks = Array.from({ length: BLOCKS_AT_ONCE }, (_, index) => block + index * BLOCK).filter(
        (at) => at < to,
      );
      const messages = blocks.flatMap((first) =>
        METERS.map((meter) => {
          const indexes = Array.from({ length: BLOCK }, (_, index) => first + index);
          const values = indexes.filter((index) => isHeard(meter, index * EVERY_MS)).map((index) => read(meter, index));
          sent += values.length;
          return values.length === 0
            ? undefined
            : client.publishAsync(`meters/${meter}/reading`, JSON.stringify(values), { qos: 1 });
        }),
      );
      await Promise.all(messages);
    }
    return sent;
  } finally {
    await client.endAsync(true);
  }
}

type Values = Omit<StoredSlot, 'changeSeq' | 'revision'>;

/** By meter and slot; how often one was revised depends on when it was closed, and nothing else does. */
function slotsOf(buffer: string): ReadonlyMap<string, Values> {
  const reader = openReader(buffer);
  try {
    const all = METERS.flatMap((meter) =>
      reader.slotsOf(meter as string as MeterId, epochMs(BEGAN_MS - HOUR_MS), epochMs(BEGAN_MS + 6 * HOUR_MS)),
    );
    return new Map(
      all.map(({ changeSeq, revision, ...values }) => [`${values.meter} ${values.slotStartMs - BEGAN_MS}`, values]),
    );
  } finally {
    reader.close();
  }
}

function sum(slots: Iterable<Values>, field: 'count' | 'energyMwh', meter?: Meter): number {
  let total = 0;
  for (const slot of slots) if (meter === undefined || slot.meter === (meter as string)) total += slot[field];
  return total;
}

const inLog = (buffer: string): number =>
  [...storedValues(buffer).values()].reduce((rows, { length }) => rows + length, 0);

const INTERVALS = 80_000;

test.skipIf(!canMount()).each([
  ['a disk', 12 * MIB, {}],
  ['a buffer with a bound', 64 * MIB, { max_bytes: 8 * MIB }],
])(
  '%s that is too small for the log: no slot of any meter differs from one that had room (needs mount)',
  async (_what, diskBytes, buffer) => {
    const scene = openDiskScene(diskBytes, { buffer });
    opened.push(scene.close);
    const gateway = await scene.start();
    const readings = await publish(gateway, 0, INTERVALS);
    await until('all slots are stored', () => sum(slotsOf(scene.buffer).values(), 'count') === readings, {
      withinMs: 60_000,
      everyMs: 500,
    });
    await until('there was need', () => gateway.output().includes('readings are thinned into their slots'));
    const left = inLog(scene.buffer);
    console.log(`${readings} readings acknowledged, ${left} left in the log, all in slots`);
    expect(left).toBeLessThan(readings);
    await gateway.stop();
    await (await scene.start()).stop();
    const thinned = slotsOf(scene.buffer);

    const spacious = await openLoneGateway({ models: { enabled: false }, buffer: { slot_grace_s: 0 } });
    opened.push(spacious.close);
    expect(await publish(spacious, 0, INTERVALS)).toBe(readings);
    const whole = `${spacious.dir}/data/buffer.sqlite`;
    await until('all slots are stored there', () => sum(slotsOf(whole).values(), 'count') === readings, {
      withinMs: 60_000,
      everyMs: 500,
    });
    expect(inLog(whole)).toBe(readings);
    expect([...thinned.values()].toSorted(byPlace)).toEqual([...slotsOf(whole).values()].toSorted(byPlace));
    // And both are what the registers rose by.
    const last = INTERVALS - 1;
    const risenMwh = (read('register', last).import_wh ?? 0) - (read('register', 0).import_wh ?? 0);
    for (const meter of ['register', 'gaps'] as const) {
      expect(sum(thinned.values(), 'energyMwh', meter)).toBe(Math.round(risenMwh * 1_000));
    }
  },
  TIMEOUT_MS,
);

const byPlace = (a: Values, b: Values): number => a.slotStartMs - b.slotStartMs || a.meter.localeCompare(b.meter);

test.skipIf(!canMount())(
  'with a centre nothing but what it has is dropped, while that suffices (needs mount)',
  async () => {
    const centre = await openCentre();
    opened.push(centre.close);
    const { sync, models } = await centre.enrol('gw-small');
    const scene: DiskScene = openDiskScene(14 * MIB, {
      gateway: { name: 'gw-small' },
      sync: { ...sync, interval_s: 0.2 },
      models: { ...models, enabled: false },
    });
    opened.push(scene.close);
    const gateway = await scene.start();
    const atCentre = async (): Promise<number> => {
      const [row] = await centre.connection.query('select count(*) as rows from wattwarden_data.reading');
      return Number(row?.['rows']);
    };
    let readings = 0;
    const STEP = 4_000;
    for (let from = 0; !gateway.output().includes('readings that the centre has are dropped'); from += STEP) {
      expect(from, 'the disk is short by then').toBeLessThan(40 * STEP);
      readings += await publish(gateway, from, from + STEP);
      await until('the centre has all of it', async () => (await atCentre()) === readings, { withinMs: 60_000 });
    }
    await until('room is made', () => inLog(scene.buffer) < readings);
    await until('all slots are stored', () => sum(slotsOf(scene.buffer).values(), 'count') === readings);
    const status = (await (await fetch(`${gateway.http}/api/v1/overview`)).json()) as { backlog: { reading: number } };
    console.log(`${readings} readings at the centre, ${inLog(scene.buffer)} left in the log`);
    expect(gateway.output()).not.toContain('readings are thinned into their slots');
    expect(status.backlog.reading).toBe(0);
    expect(await atCentre()).toBe(readings);
    const [distinct] = await centre.connection.query(
      'select count(distinct (meter, taken_at)) as rows from wattwarden_data.reading',
    );
    expect(Number(distinct?.['rows'])).toBe(readings);
  },
  TIMEOUT_MS,
);
