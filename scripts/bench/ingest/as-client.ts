import { join } from 'node:path';
import { type Mosquitto, openMosquitto } from '../../../tests/kit/mosquitto.js';
import { until } from '../../../tests/kit/until.js';
import type { Setting } from '../bench.js';
import type { Publisher } from '../load/publisher.js';
import { median } from '../statistics.js';
import { openBareClient } from '../subjects/bare-client.js';
import { openGateway } from '../subjects/gateway.js';

const SIZES = {
  tiny: { rounds: 1, readings: 1_000 },
  quick: { rounds: 3, readings: 40_000 },
  full: { rounds: 7, readings: 200_000 },
};
/** Mosquitto's own default lets 20 be under way, and drops what more than 1,000 wait for. */
const UNBOUNDED_QUEUE = ['max_queued_messages 0', 'max_queued_bytes 0'];
const TUNED = ['max_inflight_messages 1000'];

/** Somebody who is subscribed. */
interface Receiver {
  received(): Promise<number> | number;
  close(): Promise<void>;
}

/** The gateway as a client of Mosquitto, until what was published there is in the buffer here; beside its library alone. */
export async function measureClient({ size, dir, say }: Setting, publisher: Publisher) {
  const { rounds, readings } = SIZES[size];

  async function gatewayAt(name: string, mosquitto: Mosquitto): Promise<Receiver> {
    const source = { enabled: true, url: mosquitto.url };
    const gateway = await openGateway(join(dir, name), { mqtt: { enabled: false }, source });
    await until('the gateway has subscribed', () => gateway.output().includes('subscribed at the broker of source'));
    return { received: () => gateway.stored(), close: async () => void (await gateway.stop()) };
  }

  async function round({ port }: Mosquitto, receiver: Receiver): Promise<number> {
    const wanted = (await receiver.received()) + readings;
    const beganMs = performance.now();
    const pace = { kind: 'flood', readings, inFlight: 1_000 } as const;
    const published = publisher.publish({ port, clients: 1, meters: 1_000, pace });
    const isAll = async () => (await receiver.received()) >= wanted;
    await until('all have arrived', isAll, { everyMs: 5, withinMs: 300_000 });
    const rate = (readings * 1_000) / (performance.now() - beganMs);
    await published;
    return rate;
  }

  /** Each has a broker of its own, and they take turns; the first round compiled the code. */
  async function measure(places: readonly Place[]): Promise<readonly (readonly number[])[]> {
    const open: { readonly mosquitto: Mosquitto; readonly receiver: Receiver; readonly rates: number[] }[] = [];
    try {
      for (const { general, receiverAt } of places) {
        const mosquitto = await openMosquitto({ general: [...UNBOUNDED_QUEUE, ...general] });
        open.push({ mosquitto, receiver: await receiverAt(mosquitto), rates: [] });
      }
      for (let count = 0; count <= rounds; count += 1) {
        for (const { mosquitto, receiver, rates } of open) rates.push(await round(mosquitto, receiver));
      }
      return open.map(({ rates }) => rates.slice(1));
    } finally {
      for (const { mosquitto, receiver } of open) {
        await receiver.close();
        await mosquitto.close();
      }
    }
  }

  say('as a client of Mosquitto');
  const [tuned = [], usual = [], bare = []] = await measure([
    { general: TUNED, receiverAt: async (mosquitto) => await gatewayAt('tuned', mosquitto) },
    { general: [], receiverAt: async (mosquitto) => await gatewayAt('default-limits', mosquitto) },
    { general: TUNED, receiverAt: async ({ url }) => await openBareClient(url) },
  ]);
  return {
    metrics: {
      client_rps: median(tuned),
      client_default_limits_rps: median(usual),
      bare_client_rps: median(bare),
    },
    ratios: { client_vs_bare_client: median(tuned.map((rate, index) => rate / (bare[index] ?? Number.NaN))) },
  };
}

interface Place {
  readonly general: readonly string[];
  receiverAt(mosquitto: Mosquitto): Promise<Receiver>;
}
