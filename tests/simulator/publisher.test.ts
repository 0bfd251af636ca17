import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../agent/domain/clock.js';
import { native } from '../../scripts/simulator/formats/native.js';
import { messagesOf } from '../../scripts/simulator/meter-messages.js';
import { parseOptions } from '../../scripts/simulator/options.js';
import { planOf } from '../../scripts/simulator/plan.js';
import { createSimulation } from '../../scripts/simulator/run.js';
import type { SentReading } from '../../scripts/simulator/sent-reading.js';
import { startGateway } from '../kit/command.js';
import { freePort } from '../kit/free-port.js';
import { openLoneGateway } from '../kit/lone-gateway.js';
import { storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';

/** Six hours, a reading a minute, in about six seconds. */
const WHEN = ['--start', '2026-03-02T00:00:00Z', '--days', '0.25', '--interval', '60', '--speed', '3600'];

test('a broker that is killed and comes back gets every reading once, in order, from each client', async () => {
  const port = await freePort();
  const gateway = await openLoneGateway({
    mqtt: { port },
    validate: { max_age_days: 4_000 },
  });
  const fleet = ['--meters', '5', '--feeders', '1', '--meters-per-client', '3'];
  const plan = planOf(parseOptions(['--url', `mqtt://127.0.0.1:${port}`, ...fleet, ...WHEN], systemClock), systemClock);
  if ('contradiction' in plan) throw new Error(plan.contradiction);
  const said: string[] = [];
  const signal = new AbortController().signal;
  const simulation = createSimulation({ ...plan, clock: systemClock, signal, onProgress: (line) => said.push(line) });
  const running = simulation.run();
  const path = join(gateway.dir, 'data', 'buffer.sqlite');
  await until('something is stored', () => (storedValues(path).get('meter-001')?.length ?? 0) > 20);
  await gateway.kill();
  await until('it is missed', () => said.some((line) => line.startsWith('connection: ')));
  const again = await startGateway(gateway.config);
  try {
    const { messages } = await running;
    const stored = storedValues(path);
    expect(messages).toBe(6 * 360);
    for (const meter of simulation.meters) {
      const span = { fromMs: plan.startMs, toMs: plan.endMs, intervalMs: plan.intervalMs, faults: plan.faults };
      const sent = [...messagesOf({ meter, format: native, ...span })].map(
        ({ payload }) => (JSON.parse(payload) as SentReading).power_w,
      );
      expect(stored.get(meter.id)).toEqual(sent.map((watts) => Math.round(10 * watts)));
    }
  } finally {
    await again.stop();
    await gateway.close();
  }
}, 60_000);
