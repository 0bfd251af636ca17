import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { openReader } from '../../agent/buffer/reader.js';
import { type RunningGateway, startGateway, succeeds } from '../kit/command.js';
import { fakeTimeLibrary, openFakeTime, touch } from '../kit/fake-time.js';
import { openLoneGateway } from '../kit/lone-gateway.js';
import { until } from '../kit/until.js';

/** Real gateways that see a wrong clock, which libfaketime moves while they run. */

const library = fakeTimeLibrary();
const AUTO = ['WATTWARDEN_CLOCK_TRUST=auto', 'WATTWARDEN_CLOCK_METER_VOTES=0'];
const WITHIN_MS = 3_000;

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Clock {
  readonly trust: { readonly state: string; readonly by?: string; readonly why?: string };
  readonly held: number;
}

async function openScene(offset: string) {
  const dir = mkdtempSync(join(tmpdir(), 'wattwarden-wrong-'));
  opened.push(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'service'));
  const confirmedFile = join(dir, 'service', 'synchronized');
  const time = openFakeTime(library ?? '', dir, offset);
  const under = [...time.under, ...AUTO];
  if (offset === '+0') touch(confirmedFile);
  const settings = { clock: { confirmed_file: confirmedFile }, buffer: { slot_grace_s: 0 } };
  const lone = await openLoneGateway(settings, under);
  let gateway: RunningGateway = lone;
  opened.push(async () => await gateway.stop().then(lone.close, lone.close));
  const buffer = join(lone.dir, 'data', 'buffer.sqlite');
  const trueMs = new Map<number, number>();

  return {
    time,
    output: () => gateway.output(),
    confirm: () => touch(confirmedFile),
    clock: async () => JSON.parse(await succeeds('clock', '--json', '--config', lone.config)) as Clock,
    health: async () => ((await (await fetch(`${gateway.http}/healthz`)).json()) as { checks: object }).checks,
    async publish(count: number) {
      const client = await connectAsync(`mqtt://${gateway.mqtt}`);
      for (let index = 0; index < count; index += 1) {
        const value = trueMs.size + 1;
        trueMs.set(value, Date.now());
        await client.publishAsync('meters/m1/reading', JSON.stringify({ power_w: value / 10 }), { qos: 1 });
      }
      await client.endAsync();
    },
    async killAndRestart() {
      await gateway.kill();
      gateway = await startGateway(lone.config, { under });
    },
    /** How far each reading that could be sent lies from the truth. */
    visible() {
      const reader = openReader(buffer);
      try {
        return reader
          .stream('reading', 0, 10_000)
          .map(({ powerDw, takenAtMs }) => takenAtMs - (trueMs.get(powerDw ?? -1) ?? Number.NaN));
      } finally {
        reader.close();
      }
    },
    totals() {
      const reader = openReader(buffer);
      try {
        return reader.totals();
      } finally {
        reader.close();
      }
    },
    sent: () => trueMs.size,
  };
}

const off = (errors: readonly number[]): readonly number[] => errors.filter((ms) => !(Math.abs(ms) < WITHIN_MS));

test.skipIf(library === undefined)(
  'a gateway that boots in 1970 and is killed stores, waits and places every reading (needs faketime)',
  async () => {
    const scene = await openScene('-56y');
    await scene.publish(20);
    expect(await scene.clock()).toMatchObject({ trust: { state: 'untrusted', why: 'behind' }, held: 20 });
    expect(scene.output()).toContain('clock.untrusted');
    expect(await scene.health()).toMatchObject({ clock: { status: 'degraded' } });
    await scene.killAndRestart();
    await scene.publish(20);
    expect((await scene.clock()).held).toBe(40);
    expect(scene.visible()).toEqual([]);
    expect(scene.totals()).toMatchObject({ readings: 40, slots: 0, forecasts: 0, anomalies: 0 });

    scene.time.set('+0');
    scene.confirm();
    await until('the time is known', async () => (await scene.clock()).trust.by === 'synchronised');
    await scene.publish(20);
    await until('all is placed', async () => (await scene.clock()).held === 0);
    const errors = scene.visible();
    expect(errors).toHaveLength(scene.sent());
    expect(off(errors)).toEqual([]);
    await until('the health says so', async () =>
      JSON.stringify(await scene.health()).includes('"clock":{"status":"ok"'),
    );
  },
  120_000,
);

test.skipIf(library === undefined).each(['+1d', '-1d'])(
  'a gateway whose clock is set by %s while it runs goes by the time that it knew (needs faketime)',
  async (step) => {
    const scene = await openScene('+0');
    await until('the time is known', async () => (await scene.clock()).trust.by === 'synchronised');
    await scene.publish(10);
    scene.time.set(step);
    await until('the step is seen', () => scene.output().includes('somebody set the clock'));
    await scene.publish(10);
    expect(await scene.health()).toMatchObject({ clock: { status: 'degraded' }, meters: { status: 'ok' } });
    await scene.killAndRestart();
    expect((await scene.clock()).trust.by).toBe('carried');
    await scene.publish(10);
    const errors = scene.visible();
    expect(errors).toHaveLength(30);
    expect(off(errors)).toEqual([]);
  },
  120_000,
);
