import { setMaxListeners } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../agent/domain/clock.js';
import { createFleet } from './simulator/fleet.js';
import { publishFleet } from './simulator/publisher.js';

const DAY_MS = 86_400_000;
/** How far ahead the households are made up; who simulates for longer starts again. */
const AHEAD_DAYS = 30;

interface Options {
  readonly url: string;
  readonly meters: number;
  readonly feeders: number;
  readonly interval: number;
  readonly since?: Date;
  readonly seed: number;
  readonly theft: boolean;
}

/** A fleet of simulated meters that publish over real MQTT until they are stopped. */
export async function main(given: readonly string[]): Promise<void> {
  const options = parseOptions(given);
  const nowMs = systemClock.now();
  const fromMs = options.since?.getTime() ?? nowMs;
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // every meter waits for it
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => ending.abort());
  const meters = createFleet({
    customers: options.meters,
    feeders: options.feeders,
    seed: options.seed,
    fromMs,
    days: Math.ceil((nowMs - fromMs) / DAY_MS) + AHEAD_DAYS,
    ...(options.theft ? { theftFromMs: nowMs - DAY_MS / 8 } : {}),
  });
  console.log(`${meters.length} meters publish to ${options.url} every ${options.interval} s`);
  try {
    await publishFleet({
      url: options.url,
      meters,
      intervalMs: options.interval * 1_000,
      historyMs: nowMs - fromMs,
      clock: systemClock,
      random: Math.random,
      signal: ending.signal,
      onProgress: (message) => console.log(message),
    });
  } finally {
    // A channel to a parent, once listened to, would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

function parseOptions(given: readonly string[]): Options {
  const program = new Command('wattwarden simulate')
    .description('publish as a fleet of simulated meters')
    .option('-u, --url <url>', 'the broker', 'mqtt://127.0.0.1:1883')
    .option('-m, --meters <count>', 'customers', number(1, 5_000), 25)
    .option('-f, --feeders <count>', 'feeder meters above them', number(1, 100), 2)
    .option('-i, --interval <seconds>', 'between two readings of a meter', number(0.1, 3_600), 5)
    .option('--since <time>', 'send the past from this moment (ISO 8601) on first', pastTime)
    .option('--seed <seed>', 'the same seed makes the same households', number(0, 2 ** 31), 1)
    .option('--theft', 'the first customer has bypassed its meter for three hours', false);
  return program.parse(given, { from: 'user' }).opts<Options>();
}

const number = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (!(value >= min && value <= max)) throw new InvalidArgumentError(`a number from ${min} to ${max}`);
  return value;
};

function pastTime(text: string): Date {
  const time = new Date(text);
  const agoMs = systemClock.now() - time.getTime();
  if (!(agoMs >= 0 && agoMs <= 400 * DAY_MS)) throw new InvalidArgumentError('a time of the last 400 days');
  return time;
}
