import { join } from 'node:path';
import { openMosquitto } from '../../../tests/kit/mosquitto.js';
import { until } from '../../../tests/kit/until.js';
import type { Setting } from '../bench.js';
import type { Publisher } from '../load/publisher.js';
import { median } from '../statistics.js';
import { openGateway } from '../subjects/gateway.js';

const SIZES = {
  tiny: { rounds: 1, readings: 1_000 },
  quick: { rounds: 3, readings: 40_000 },
  full: { rounds: 7, readings: 200_000 },
};
/** Mosquitto's own default lets 20 be under way, and drops what more than 1,000 wait for. */
const UNBOUNDED_QUEUE = ['max_queued_messages 0', 'max_queued_bytes 0'];

/** The gateway as a client of Mosquitto, until what was published there is in the buffer here. */
export async function measureClient({ size, dir, say }: Setting, publisher: Publisher) {
  const { rounds, readings } = SIZES[size];
  const measure = async (name: string, general: readonly string[]): Promise<number> => {
    say(`as a client of Mosquitto, ${name}`);
    const mosquitto = await openMosquitto({ general: [...UNBOUNDED_QUEUE, ...general] });
    const source = { enabled: true, url: mosquitto.url };
    const gateway = await openGateway(join(dir, name), { mqtt: { enabled: false }, source });
    try {
      await until('the gateway has subscribed', () => gateway.output().includes('subscribed at the broker of source'));
      const rates: number[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const wanted = gateway.stored() + readings;
        const beganMs = performance.now();
        const pace = { kind: 'flood', readings, inFlight: 1_000 } as const;
        const published = publisher.publish({ port: mosquitto.port, clients: 1, meters: 1_000, pace });
        await until('all are stored', () => gateway.stored() >= wanted, { everyMs: 5, withinMs: 300_000 });
        rates.push((readings * 1_000) / (performance.now() - beganMs));
        await published;
      }
      return median(rates.slice(1)); // the first one compiled the code
    } finally {
      await gateway.stop();
      await mosquitto.close();
    }
  };
  return {
    client_rps: await measure('tuned', ['max_inflight_messages 1000']),
    client_default_limits_rps: await measure('default-limits', []),
  };
}
