import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { openLoneGateway } from '../kit/lone-gateway.js';
import { openMosquitto } from '../kit/mosquitto.js';
import { hasProgram } from '../kit/program.js';
import { openRawMeter } from '../kit/raw-meter.js';
import { compare, storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';
import { parseTrace, STRACE, type Step, traceFaults } from './trace.js';

let dir: string;
const opened: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-durability-'));
  opened.push(() => rmSync(dir, { recursive: true }));
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const READINGS = 100;

/** Steps of a gateway that takes a hundred readings, one after the other. */
async function traced(settings: object, outsidePort?: number): Promise<readonly Step[]> {
  const file = join(dir, 'trace');
  const gateway = await openLoneGateway({ models: { enabled: false }, ...settings }, [...STRACE, '-o', file]);
  try {
    const port = outsidePort ?? Number(gateway.mqtt.split(':')[1]);
    if (outsidePort !== undefined) await until('it has subscribed', () => gateway.output().includes('subscribed'));
    const meter = openRawMeter({ name: 'a', port, qos: 1, ownTime: true, inFlight: 1, everyMs: 5 });
    opened.push(() => meter.close());
    await until('enough readings are sent', () => meter.acknowledged.length >= READINGS);
    await meter.drain();
    const buffer = join(gateway.dir, 'data', 'buffer.sqlite');
    await until('all are stored', () => storedValues(buffer).get('a')?.length === meter.made);
  } finally {
    await gateway.close();
  }
  return parseTrace(readFileSync(file, 'latin1'));
}

const pubacks = (steps: readonly Step[]): number => steps.filter((step) => step === 'puback').length;

test.skipIf(!hasProgram('strace'))(
  'the WAL is synced between its last write and the PUBACK (needs strace)',
  async () => {
    const steps = await traced({});
    expect(pubacks(steps)).toBeGreaterThanOrEqual(READINGS);
    expect(traceFaults(steps)).toEqual([]);

    // The same, had the gateway not synced, or acknowledged first.
    const unsynced = steps.filter((step) => step !== 'wal-sync');
    expect(traceFaults(unsynced)).toHaveLength(pubacks(steps));
    const hasty = steps.map((step, at) => {
      if (step === 'wal-sync' && steps[at + 1] === 'puback') return 'puback';
      return step === 'puback' && steps[at - 1] === 'wal-sync' ? 'wal-sync' : step;
    });
    expect(traceFaults(hasty).length).toBeGreaterThanOrEqual(READINGS);
  },
  60_000,
);

test.skipIf(!hasProgram('strace') || !hasProgram('mosquitto'))(
  'the same towards another broker (needs strace and mosquitto)',
  async () => {
    const mosquitto = await openMosquitto();
    opened.push(mosquitto.close);
    const source = { enabled: true, url: mosquitto.url };
    const steps = await traced({ mqtt: { enabled: false, commit_window_ms: 0 }, source }, mosquitto.port);
    // Mosquitto acknowledges at once, so that those which come while the gateway is busy share a commit; one PUBACK packet
    // follows the other then in one write.
    expect(pubacks(steps)).toBeGreaterThanOrEqual(READINGS / 10);
    expect(traceFaults(steps)).toEqual([]);
  },
  60_000,
);

test('a call that another thread interrupts counts when it ends', () => {
  const write = '7 pwrite64(21<\\x61\\x2d\\x77\\x61\\x6c>, "\\x00", 1, 0) = 1';
  const puback =
    '7 writev(34<\\x73\\x6f\\x63\\x6b\\x65\\x74\\x3a>, [{iov_base="\\x40"}, {iov_base="\\x02\\x00\\x01"}], 2) = 4';
  const begun = '7 fdatasync(21<\\x61\\x2d\\x77\\x61\\x6c> <unfinished ...>';
  const trace = (...lines: readonly string[]) => traceFaults(parseTrace(lines.join('\n')));
  expect(trace(write, begun, '7 <... fdatasync resumed>) = 0', puback)).toEqual([]);
  expect(trace(write, begun, puback, '7 <... fdatasync resumed>) = 0')).toHaveLength(1);
  expect(trace(write, begun, '7 <... fdatasync resumed>) = -1 EIO', puback)).toHaveLength(1);
  expect(trace(puback, write)).toHaveLength(1);
});

test('a WAL cut anywhere after the last synced byte loses nothing acknowledged; cut before it, it does', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  console.log(`FUZZ_SEED=${seed}`);
  const random = seededRandom(seed);
  const gateway = await openLoneGateway({ models: { enabled: false } });
  opened.push(gateway.close);
  const buffer = join(gateway.dir, 'data', 'buffer.sqlite');
  const client = await connectAsync(`mqtt://${gateway.mqtt}`);
  opened.push(async () => await client.endAsync(true));

  // Where the WAL ended when the PUBACK of each value came: that it was synced up to there is what the trace shows.
  const acknowledged: { readonly value: number; readonly end: number }[] = [];
  const walSize = () => statSync(`${buffer}-wal`).size;
  const publish = (value: number) =>
    client.publishAsync('meters/a/reading', JSON.stringify({ power_w: value / 10 }), { qos: 1 });
  // After the checkpoint at the start the file is written anew from its beginning, and grows only past its old end.
  let value = 1;
  for (const before = walSize(); walSize() === before && value < 1_000; value += 1) await publish(value);
  const databaseBefore = statSync(buffer).mtimeMs;
  for (const end = value + READINGS; value < end; value += 1) {
    const before = walSize();
    await publish(value);
    expect(walSize()).toBeGreaterThan(before);
    acknowledged.push({ value, end: walSize() });
  }
  const whole = join(dir, 'whole');
  copyFileSync(buffer, whole);
  copyFileSync(`${buffer}-wal`, `${whole}-wal`);
  expect(statSync(buffer).mtimeMs, 'no checkpoint has moved anything meanwhile').toBe(databaseBefore);
  const last = acknowledged.at(-1)?.end ?? 0;
  expect(statSync(`${whole}-wal`).size).toBe(last);

  /** Which of the values that were acknowledged by then are lost when the WAL ends at `cut`. */
  function lostAt(cut: number, count: number): readonly number[] {
    const torn = join(dir, 'torn');
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${torn}${suffix}`, { force: true });
    copyFileSync(whole, torn);
    copyFileSync(`${whole}-wal`, `${torn}-wal`);
    truncateSync(`${torn}-wal`, cut);
    const values = acknowledged.slice(0, count).map(({ value }) => value);
    return compare(values, storedValues(torn).get('a')).lost;
  }

  for (const [index, { value: newest, end }] of acknowledged.entries()) {
    const room = last - end;
    const cuts = [end, end + 1, end + 24, end + Math.floor(random() * room)].filter((cut) => cut <= last);
    for (const cut of cuts) expect({ cut, lost: lostAt(cut, index + 1) }).toEqual({ cut, lost: [] });
    expect({ newest, lost: lostAt(end - 1, index + 1) }).toEqual({ newest, lost: [newest] });
  }
}, 60_000);
