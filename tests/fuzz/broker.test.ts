import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  connectPacket,
  createKit,
  LIMITS,
  publishPacket,
  pubrelPacket,
  subscribePacket,
  type TestBroker,
} from '../../agent/ingest/broker.fixture.js';

/** FUZZ_RUNS makes it longer; FUZZ_SEED repeats a failed run. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const TIMEOUT_MS = 60_000 + RUNS * 50;
/** At once, so that a hundred thousand streams take minutes. */
const SIDE_BY_SIDE = 100;
const ANSWERS_MS = 200;

const kit = createKit();
let broker: TestBroker;
let readings = 0;

beforeAll(async () => {
  console.log(`seed ${SEED}, ${RUNS} streams of bytes`);
  const accept = (batch: readonly unknown[]): void => {
    readings += batch.length;
  };
  broker = await kit.broker(accept, {
    limits: { ...LIMITS, perSecond: 1e6, perSecondPerAddress: 1e6, packetTimeoutMs: 2_000, connectTimeoutMs: 2_000 },
  });
});
afterAll(kit.close);

const level = fc.oneof(
  fc.constantFrom('meters', 'a', '', '+', '#', '$SYS', 'reading', '\0', '__proto__'),
  fc.string({ maxLength: 8 }),
);
const wildTopic = fc.array(level, { minLength: 1, maxLength: 120, size: 'small' }).map((levels) => levels.join('/'));
/** What gets far into the broker, and what should not. */
const goodTopic = fc.constantFrom('meters/a/reading', 'meters/b/reading', 'a', 'a/b', 'a/b/c', 'a//', '/');
const topic = fc.oneof({ arbitrary: goodTopic, weight: 5 }, { arbitrary: wildTopic, weight: 1 });
const filter = fc.oneof(
  { arbitrary: fc.constantFrom('#', 'a/#', '+/b', 'meters/+/reading', 'a/+/c'), weight: 3 },
  { arbitrary: topic, weight: 1 },
);
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const id = fc.nat(65_535);

const publishTo = (to: fc.Arbitrary<string>) =>
  fc
    .record({ to, payload: fc.string({ maxLength: 200 }), qos, id, dup: fc.boolean() })
    .map(({ to, payload, ...rest }) => publishPacket(to, payload, rest));
const subscribe = fc.array(filter, { minLength: 1, maxLength: 5 }).map((filters) => subscribePacket(...filters));
const connect = fc.string({ maxLength: 40 }).map((name) => connectPacket(name, { clean: name.length % 2 === 0 }));
/** PINGREQ, DISCONNECT, what does not exist, PUBACK, and a PUBLISH to be retained. */
const small = fc.constantFrom([0xc0, 0], [0xe0, 0], [0xf0, 0], [0x40, 2, 0, 1], [0x31, 4, 0, 1, 0x61, 0x62]);

const packet = fc.oneof(
  { arbitrary: publishTo(topic), weight: 8 },
  { arbitrary: subscribe, weight: 4 },
  { arbitrary: id.map(pubrelPacket), weight: 2 },
  { arbitrary: small.map((bytes) => Buffer.from(bytes)), weight: 2 },
  { arbitrary: connect, weight: 1 },
  { arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
);

/** A chunk is parsed as a whole: one packet that is none ends the connection before those in front of it are handled. */
const fair = fc.oneof(publishTo(goodTopic), subscribe, id.map(pubrelPacket), fc.constant(Buffer.from([0xc0, 0])));

/** Mostly well-formed, with some bytes changed, cut into pieces anywhere. */
const stream = fc.record({
  hello: fc.constantFrom(true, true, true, false),
  packets: fc.oneof(fc.array(packet, { maxLength: 12 }), fc.array(fair, { maxLength: 12 })),
  flips: fc.oneof(fc.constant([]), fc.array(fc.record({ at: fc.nat(2_000), to: fc.nat(255) }), { maxLength: 3 })),
  name: fc.nat(500),
  clean: fc.boolean(),
  cut: fc.integer({ min: 1, max: 400 }),
  waits: fc.constantFrom(true, true, true, false),
});

type Stream = typeof stream extends fc.Arbitrary<infer Value> ? Value : never;

function bytesOf({ hello, name, clean, packets, flips }: Stream): Buffer {
  const bytes = Buffer.concat([...(hello ? [connectPacket(`fuzz-${name}`, { clean })] : []), ...packets]);
  for (const { at, to } of flips) if (at < bytes.length) bytes[at] = to;
  return bytes;
}

async function send(bytes: Buffer, cut: number, waits: boolean): Promise<void> {
  const socket = new Socket();
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.connect(broker.port, '127.0.0.1', resolve));
  for (let at = 0; at < bytes.length && !socket.destroyed; at += cut) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(at, at + cut), () => resolve()));
  }
  // Most wait for their answers: with the end right behind it, the broker forgets what came before.
  if (waits) await Promise.race([closed, delay(ANSWERS_MS)]);
  socket.destroy();
  await closed;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is held after the collector has been there; the size of the process says more of the collector than of us. */
function retainedMb(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 1e6);
}

test(
  'no stream of bytes stops the broker or makes it grow',
  async () => {
    const honest = await kit.client(broker, { clientId: 'honest', keepalive: 0 });
    const memory: number[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(stream, { minLength: SIDE_BY_SIDE, maxLength: SIDE_BY_SIDE }), async (streams) => {
        await Promise.all(streams.map((one) => send(bytesOf(one), one.cut, one.waits)));
        const before = readings;
        await honest.publishAsync('meters/honest/reading', '{}', { qos: 1 });
        expect(readings).toBeGreaterThan(before);
        memory.push(retainedMb());
      }),
      { numRuns: Math.max(1, Math.ceil(RUNS / SIDE_BY_SIDE)), seed: SEED, endOnFailure: true },
    );
    console.log({
      readings,
      retainedMb: [memory[0], memory[Math.floor(memory.length / 3)], memory.at(-1)],
      figures: broker.figures,
      refused: broker.refused,
    });
    expect(broker.figures.absentSessions).toBeLessThanOrEqual(LIMITS.maxSessions);
    expect(broker.figures.retained).toBeLessThanOrEqual(LIMITS.maxRetained);
    // The first third fills caches and the bounded stores; from there on it must not grow, however many streams there are.
    expect(memory.length).toBeGreaterThanOrEqual(3);
    expect((memory.at(-1) ?? 0) - (memory[Math.floor(memory.length / 3)] ?? 0)).toBeLessThan(20);
  },
  TIMEOUT_MS,
);
