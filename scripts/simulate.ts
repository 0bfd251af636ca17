import { systemClock } from '../agent/domain/clock.js';
import { DAY_MS, SLOT_MINUTES } from '../agent/domain/slot.js';
import { READING_EVERY_S, writeIntoBuffer } from './simulator/into-buffer.js';
import { parseOptions } from './simulator/options.js';
import { type Plan, planOf } from './simulator/plan.js';
import { brokerOf } from './simulator/publisher.js';
import { createSimulation } from './simulator/run.js';
import { openTruthFile } from './simulator/truth-file.js';

/** A fleet of simulated meters that publish over real MQTT until they are stopped, or their time is over. */
export async function main(given: readonly string[]): Promise<void> {
  const options = parseOptions(given, systemClock);
  const plan = planOf(options, systemClock);
  if ('contradiction' in plan) {
    console.error(`wattwarden simulate: ${plan.contradiction}`);
    process.exitCode = 2;
    return;
  }
  const ending = new AbortController();

  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => ending.abort());
  try {
    if (options.into === undefined) await publish(plan, { truthFile: options.truth, signal: ending.signal });
    else await fill(plan, { path: options.into, truthFile: options.truth, signal: ending.signal });
  } finally {
    // A channel to a parent, once listened to, would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

async function publish(plan: Plan, { truthFile, signal }: { truthFile: string | undefined; signal: AbortSignal }) {
  const file = truthFile === undefined ? undefined : await openTruthFile(truthFile, aboutOf(plan));
  const simulation = createSimulation({
    ...plan,
    clock: systemClock,
    signal,
    onProgress: (message) => console.log(message),
    ...(file === undefined ? {} : { onFault: file.fault }),
  });
  console.log(`${simulation.meters.length} meters publish to ${brokerOf(plan.url)} every ${plan.intervalMs / 1_000} s`);
  try {
    const { messages } = await simulation.run();
    console.log(`${messages} messages acknowledged`);
  } finally {
    await file?.finish(simulation.truth, simulation.reachedMs());
  }
}

function aboutOf({ fleet, startMs, endMs, intervalMs, format }: Plan): object {
  const { seed, customers, feeders } = fleet;
  const [from, until] = [startMs, endMs].map((ms) => (Number.isFinite(ms) ? new Date(ms).toISOString() : null));
  return { seed, customers, feeders, from, until, interval_s: intervalMs / 1_000, format };
}

interface Filling {
  readonly path: string;
  readonly truthFile: string | undefined;
  readonly signal: AbortSignal;
}

/** Straight into a buffer: the same fleet, without a broker on the way. */
async function fill(plan: Plan, { path, truthFile, signal }: Filling): Promise<void> {
  const { startMs: fromMs, endMs: toMs } = plan;
  const simulation = createSimulation({ ...plan, clock: systemClock, signal, onProgress: () => undefined });
  const { meters, truth } = simulation;
  const onProgress = (message: string): void => console.log(message);
  const { days } = await writeIntoBuffer({ path, meters, slotMinutes: SLOT_MINUTES, fromMs, toMs, signal, onProgress });
  console.log(`${days} days of ${meters.length} meters are in ${path}`);
  if (truthFile === undefined) return;
  const file = await openTruthFile(truthFile, { ...aboutOf(plan), interval_s: READING_EVERY_S, format: null });
  truth.filled(fromMs + (days / meters.length) * DAY_MS);
  await file.finish(truth, toMs);
}
