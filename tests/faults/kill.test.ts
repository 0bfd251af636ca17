import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { startGateway } from '../kit/command.js';
import { freePort } from '../kit/free-port.js';
import { openLoneGateway } from '../kit/lone-gateway.js';
import { openMosquitto } from '../kit/mosquitto.js';
import { hasProgram } from '../kit/program.js';
import { openRawMeter, type RawMeter } from '../kit/raw-meter.js';
import { compare, storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';

/** KILLS=40 is the full run; SEED repeats one. */
const KILLS = Number(process.env['KILLS'] ?? 6);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const TIMEOUT_MS = 60_000 + KILLS * 5_000;

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Every combination that is told apart in another way: by time or by values, one handshake or two. */
function openMeters({ port, meters, everyMs }: Scene): readonly RawMeter[] {
  const kinds = ([1, 2] as const).flatMap((qos) => [true, false].map((ownTime) => ({ qos, ownTime })));
  const pace = everyMs === undefined ? {} : { everyMs };
  return Array.from({ length: meters / kinds.length }, () => kinds)
    .flat()
    .map((kind, index) => {
      const meter = openRawMeter({
        ...kind,
        ...pace,
        port,
        name: `m${index}-${kind.qos}-${kind.ownTime ? 'own' : 'none'}`,
      });
      opened.push(() => meter.close());
      return meter;
    });
}

interface Scene {
  readonly settings: object;
  /** Where the meters publish. */
  readonly port: number;
  readonly meters: number;
  readonly everyMs?: number;
  /** Whether what a meter's broker has acknowledged is in the buffer already. */
  readonly atOnce: boolean;
}

async function killAgainAndAgain(scene: Scene): Promise<void> {
  const { settings, atOnce } = scene;
  console.log(`FUZZ_SEED=${SEED} KILLS=${KILLS}`);
  const random = seededRandom(SEED);
  const lone = await openLoneGateway({ models: { enabled: false }, ...settings });
  let gateway = { ...lone };
  opened.push(async () => await gateway.stop().then(lone.close, lone.close));
  const buffer = join(lone.dir, 'data', 'buffer.sqlite');
  const outside = !atOnce;
  if (outside) await until('the session exists', () => gateway.output().includes('subscribed'));
  const meters = openMeters(scene);

  for (let kill = 0; kill < KILLS; kill += 1) {
    await delay(50 + random() * 400);
    await gateway.kill();
    const acknowledged = meters.map((meter) => [...meter.acknowledged]);
    const stored = storedValues(buffer);
    for (const [index, { name }] of meters.entries()) {
      const { lost, twice } = compare(atOnce ? (acknowledged[index] ?? []) : [], stored.get(name));
      expect({ kill, name, lost, twice }).toEqual({ kill, name, lost: [], twice: 0 });
    }
    gateway = { ...lone, ...(await startGateway(lone.config)) };
  }

  for (const meter of meters) await meter.drain();
  const made = meters.reduce((sum, meter) => sum + meter.made, 0);
  expect(made).toBeGreaterThan(KILLS * meters.length);
  const count = () => [...storedValues(buffer).values()].reduce((sum, { length }) => sum + length, 0);
  await until('all is stored', () => count() >= made, { withinMs: 60_000, everyMs: 500 });
  const stored = storedValues(buffer);
  for (const { name, acknowledged, made: count } of meters) {
    expect(acknowledged).toHaveLength(count);
    const { lost, twice } = compare(acknowledged, stored.get(name));
    expect({ name, lost, twice }).toEqual({ name, lost: [], twice: 0 });
  }
  console.log(`${made} readings, ${KILLS} kills`);
}

test(
  'the embedded broker, killed: every acknowledged reading is stored, none twice',
  async () => {
    const port = await freePort();
    await killAgainAndAgain({ settings: { mqtt: { port } }, port, meters: 8, atOnce: true });
  },
  TIMEOUT_MS,
);

test.skipIf(!hasProgram('mosquitto'))(
  'the client of another broker, killed: every reading is stored, none twice (needs mosquitto)',
  async () => {
    // By default it keeps 1,000 readings for a client that is away, and drops the rest.
    const mosquitto = await openMosquitto({ general: ['max_queued_messages 0'] });
    opened.push(mosquitto.close);
    const settings = { mqtt: { enabled: false }, source: { enabled: true, url: mosquitto.url, max_retry_s: 1 } };
    // Mosquitto sends all that has waited at once when a client comes back, whatever its limit: repeats lie far back.
    await killAgainAndAgain({ settings, port: mosquitto.port, meters: 80, everyMs: 20, atOnce: false });
  },
  TIMEOUT_MS,
);
