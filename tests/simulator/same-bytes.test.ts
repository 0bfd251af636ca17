import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../agent/domain/clock.js';
import { parseOptions } from '../../scripts/simulator/options.js';
import { planOf } from '../../scripts/simulator/plan.js';
import { createSimulation } from '../../scripts/simulator/run.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { until } from '../kit/until.js';

let gateway: LoneGateway;
beforeAll(async () => {
  gateway = await openLoneGateway({ feeds: { enabled: ['native', 'tasmota', 'zigbee2mqtt', 'wmbusmeters'] } });
});
afterAll(() => gateway?.close());

/** What one run publishes, by topic, as a subscriber of the broker gets it. */
async function published(...given: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const ear = await connectAsync(`mqtt://${gateway.mqtt}`);
  const heard = new Map<string, string[]>();
  let count = 0;
  ear.on('message', (topic, payload) => {
    heard.set(topic, [...(heard.get(topic) ?? []), payload.toString('utf8')]);
    count += 1;
  });
  await ear.subscribeAsync(['meters/#', 'tele/#', 'zigbee2mqtt/#', 'wmbusmeters/#'], { qos: 1 });
  const options = parseOptions(['--url', `mqtt://${gateway.mqtt}`, ...given], systemClock);
  const plan = planOf(options, systemClock);
  if ('contradiction' in plan) throw new Error(plan.contradiction);
  const { messages } = await createSimulation({
    ...plan,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  }).run();
  await until('all of it is heard', () => count >= messages);
  await ear.endAsync();
  expect(count).toBe(messages);
  return heard;
}

const FLEET = ['--meters', '8', '--feeders', '2', '--thefts', '4', '--outages', '10', '--format', 'mixed'];
const WHEN = ['--days', '1', '--interval', '300', '--speed', 'max', '--faults', 'all', '--fault-times', '5'];

test('the same seed publishes the same bytes, whoever carries them and however fast', async () => {
  const once = await published(...FLEET, ...WHEN, '--start', '2026-03-02T00:00:00Z');
  expect(once.size).toBe(10);
  const concentrated = await published(
    ...FLEET,
    ...WHEN,
    '--start',
    '2026-03-02T00:00:00Z',
    '--meters-per-client',
    '100',
  );
  expect(concentrated).toEqual(once);
  const paced = await published(...FLEET, ...WHEN, '--start', '2026-03-02T00:00:00Z', '--speed', '40000');
  expect(paced).toEqual(once);
  const other = await published(...FLEET, ...WHEN, '--start', '2026-03-02T00:00:00Z', '--seed', '2');
  const same = [...other].filter(([topic, payloads]) => JSON.stringify(payloads) === JSON.stringify(once.get(topic)));
  expect(same).toEqual([]);
}, 60_000);
