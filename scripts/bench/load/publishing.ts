import { seededRandom } from '../../../agent/domain/clock.js';
import { quantile } from '../statistics.js';
import { type Connection, openConnection } from './connection.js';
import type { Order, Outcome, Pace } from './orders.js';
import { createPast, createSource } from './readings.js';

/** Waits that are remembered; a longer run is sampled. */
const MAX_WAITS = 200_000;
/** No answer for so long is an answer. */
const STALLED_MS = 30_000;

interface Run {
  readonly connections: readonly Connection[];
  readonly order: Order;
  /** Resolves once this many are acknowledged. */
  acknowledged(readings: number): Promise<void>;
}

export async function publish(order: Order): Promise<Outcome> {
  const waits: number[] = [];
  let acks = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let onDone = (): void => undefined;
  let onFailure = (_error: Error): void => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    onFailure = reject;
  });
  failed.catch(() => undefined); // looked at in the race below

  const connections: Connection[] = [];
  for (let client = 0; client < order.clients; client += 1) {
    connections.push(
      await openConnection({
        port: order.port,
        name: `bench-${process.pid}-${client}`,
        onLost: () => onFailure(new Error(`the broker ended the connection after ${acks} acknowledgements`)),
        onAck(waitedMs) {
          acks += 1;
          if (waits.length < MAX_WAITS) waits.push(waitedMs);
          refill?.(client);
          if (acks >= wanted) onDone();
        },
      }),
    );
  }

  const run: Run = {
    connections,
    order,
    async acknowledged(readings) {
      wanted = readings;
      if (acks >= wanted) return;
      await new Promise<void>((resolve) => {
        onDone = resolve;
      });
    },
  };
  const { pace } = order;
  const refill = pace.kind === 'flood' ? createFlood(run, pace) : undefined;
  const stalled = watch(() => acks, onFailure);
  const beganMs = performance.now();
  try {
    const readings = await Promise.race([work(run, refill), failed]);
    const elapsedMs = performance.now() - beganMs;
    return {
      readings,
      elapsedMs,
      ackMs: { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: quantile(waits, 1) },
    };
  } finally {
    clearInterval(stalled);
    for (const connection of connections) connection.close();
  }
}

function watch(acks: () => number, onFailure: (error: Error) => void): NodeJS.Timeout {
  let before = -1;
  return setInterval(() => {
    if (acks() === before) onFailure(new Error(`no acknowledgement for ${STALLED_MS} ms, after ${before}`));
    before = acks();
  }, STALLED_MS);
}

type Flood = Extract<Pace, { kind: 'flood' }>;
type Steady = Extract<Pace, { kind: 'steady' }>;
type Past = Extract<Pace, { kind: 'past' }>;

/** Fills up what a client may have under way, in portions: one packet at a time would cost a system call each. */
function createFlood({ connections, order }: Run, { readings, inFlight }: Flood): (client: number) => void {
  const sources = connections.map((_, client) => createSource(order, client));
  const portion = Math.max(1, inFlight >> 2);
  let made = 0;
  return (client) => {
    const connection = connections[client];
    if (connection === undefined || connection.underWay > inFlight - portion) return;
    const before = made;
    for (; connection.underWay < inFlight && made < readings; made += 1) sources[client]?.(connection);
    if (made > before) connection.send();
  };
}

async function work(run: Run, refill: ((client: number) => void) | undefined): Promise<number> {
  const { pace } = run.order;
  switch (pace.kind) {
    case 'flood':
      return await flood(run, pace, refill);
    case 'steady':
      return await steady(run, pace);
    case 'past':
      return await past(run, pace);
  }
}

async function flood(run: Run, { readings }: Flood, refill: ((client: number) => void) | undefined): Promise<number> {
  for (const client of run.connections.keys()) refill?.(client);
  await run.acknowledged(readings);
  return readings;
}

async function steady({ connections, order, acknowledged }: Run, { perSecond, forMs }: Steady): Promise<number> {
  const random = seededRandom(SEED);
  const pauseMs = (): number => (-Math.log(1 - random()) * 1_000) / perSecond;
  const sources = connections.map((_, client) => createSource(order, client));
  const beganMs = performance.now();
  let made = 0;
  let nextMs = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = Math.min(forMs, performance.now() - beganMs);
      const touched = new Set<Connection>();
      for (; nextMs < nowMs; nextMs += pauseMs()) {
        const client = Math.floor(random() * connections.length);
        const connection = connections[client];
        if (connection === undefined) continue;
        sources[client]?.(connection);
        touched.add(connection);
        made += 1;
      }
      for (const connection of touched) connection.send();
      if (nowMs < forMs) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await acknowledged(made);
  return made;
}

const SEED = 7;

/** One message after the other: together they would be one commit of a million readings. */
async function past({ connections, order, acknowledged }: Run, { slots }: Past): Promise<number> {
  for (let meter = 0; meter < order.meters; meter += 1) {
    const connection = connections[meter % connections.length];
    const { topic, payload } = createPast(meter, slots);
    connection?.add(topic, payload);
    connection?.send();
    await acknowledged(meter + 1);
  }
  return order.meters * slots;
}
