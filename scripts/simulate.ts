import { systemClock } from '../agent/domain/clock.js';
import { parseOptions } from './simulator/options.js';
import { type Plan, planOf } from './simulator/plan.js';
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
    await publish(plan, { truthFile: options.truth, signal: ending.signal });
  } finally {
    // A channel to a parent, once listened to, would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

async function publish(plan: Plan, { truthFile, signal }: { truthFile: string | undefined; signal: AbortSignal }) {
  const { seed, customers, feeders } = plan.fleet;
  const [from, until] = [plan.startMs, plan.endMs].map((ms) =>
    Number.isFinite(ms) ? new Date(ms).toISOString() : null,
  );
  const about = { seed, customers, feeders, from, until, interval_s: plan.intervalMs / 1_000, format: plan.format };
  const file = truthFile === undefined ? undefined : await openTruthFile(truthFile, about);
  const simulation = createSimulation({
    ...plan,
    clock: systemClock,
    signal,
    onProgress: (message) => console.log(message),
    ...(file === undefined ? {} : { onFault: file.fault }),
  });
  console.log(`${simulation.meters.length} meters publish to ${plan.url} every ${plan.intervalMs / 1_000} s`);
  try {
    const { messages } = await simulation.run();
    console.log(`${messages} messages acknowledged`);
  } finally {
    await file?.finish(simulation.truth, simulation.reachedMs());
  }
}
