import { join } from 'node:path';
import { checkpoint } from '../../agent/buffer/checkpoint.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import { hasProgram } from '../../tests/kit/program.js';
import type { Bench, Setting, Size } from './bench.js';
import { refuseUncountedDisk } from './counted-disk.js';
import { measureClient } from './ingest/as-client.js';
import { measureMany } from './ingest/many.js';
import type { Outcome } from './load/orders.js';
import { openPublisher, type Publisher } from './load/publisher.js';
import { figuresOf } from './process-figures.js';
import { median } from './statistics.js';
import { openBareAedes } from './subjects/bare-aedes.js';
import { bareSqliteRate } from './subjects/bare-sqlite.js';
import { type BenchGateway, openGateway } from './subjects/gateway.js';

/**
 * METERS and what a client has under way are those of a gateway that catches up after an outage. A hundred readings a
 * second go on for a whole slot in a full run (`slowMs`): it closes once then, whenever the run begins.
 */
const METERS = 1_000;
const UNDER_WAY_1 = 2_000;
const UNDER_WAY_50 = 100;
const SIZES = {
  tiny: { rounds: 1, readings: 2_000, steadyMs: 1_000, slowMs: 1_000 },
  quick: { rounds: 3, readings: 60_000, steadyMs: 8_000, slowMs: 8_000 },
  full: { rounds: 7, readings: 200_000, steadyMs: 60_000, slowMs: SLOT_MS },
} as const satisfies Record<Size, object>;

export const ingest: Bench = {
  about: 'readings with QoS 1 from a second process until they are acknowledged, that is validated and on disk',
  goals: {
    embedded_rps_1: { atLeast: 60_000 },
    embedded_rps_50: { atLeast: 60_000 },
    client_rps: { atLeast: 40_000 },
    cpu_us_per_reading: { atMost: 15 },
    disk_bytes_per_reading: { atMost: 200 },
    disk_bytes_per_reading_100rps: { atMost: 600 },
    ack_p99_ms_100rps: { atMost: 300 },
    ack_p99_ms_5000rps: { atMost: 50 },
    embedded_vs_bare_aedes: { atLeast: 0.4 },
    meters_20000_vs_1: { atLeast: 0.9 },
    rows_50m_vs_0: { atLeast: 0.9 },
  },
  measure,
};

async function measure(setting: Setting) {
  const { size, dir, say } = setting;
  refuseUncountedDisk(dir);
  const publisher = openPublisher();
  const notes: string[] = [];
  try {
    say('embedded broker, beside aedes alone');
    const embedded = await measureEmbedded(setting, publisher);
    say('steady arrivals');
    const steady = await measureSteady(setting, publisher);
    const client = hasProgram('mosquitto') ? await measureClient(setting, publisher) : undefined;
    if (client === undefined) notes.push('Without mosquitto on this machine the figures of the client are left out.');
    const { rounds, readings } = SIZES[size];
    const bare = { rows: readings, rowsPerCommit: Math.min(1_000, readings) };
    const bareSqlite = repeat(rounds, (round) => bareSqliteRate({ path: join(dir, `bare-${round}.sqlite`), ...bare }));
    const many = size === 'full' ? await measureMany(setting, publisher) : {};
    const { embedded_vs_bare_aedes, embedded_vs_bare_aedes_50, ...metrics } = embedded;
    return {
      metrics: { ...metrics, ...client?.metrics, bare_sqlite_rps: median(bareSqlite), ...steady },
      ratios: { embedded_vs_bare_aedes, embedded_vs_bare_aedes_50, ...client?.ratios, ...many },
      notes,
    };
  } finally {
    await publisher.close();
  }
}

const repeat = <Result>(times: number, work: (round: number) => Result): Result[] =>
  Array.from({ length: times }, (_, round) => work(round));

/** Each round asks everybody in turn, so that a slower moment of the machine is a slower one for all. */
async function measureEmbedded({ size, dir }: Setting, publisher: Publisher) {
  const { rounds, readings } = SIZES[size];
  const gateway = await openGateway(join(dir, 'embedded'));
  const bare = await openBareAedes();
  const rates = { gateway1: [] as number[], gateway50: [] as number[], bare1: [] as number[], bare50: [] as number[] };
  const costs: Cost[] = [];
  const flood = async (port: number, clients: number): Promise<number> => {
    const inFlight = clients === 1 ? UNDER_WAY_1 : UNDER_WAY_50;
    const pace = { kind: 'flood', readings, inFlight } as const;
    return rateOf(await publisher.publish({ port, clients, meters: METERS, pace }));
  };
  try {
    for (const port of [gateway.port, bare.port]) await flood(port, 1); // until the code is compiled
    for (let round = 0; round < rounds; round += 1) {
      costs.push(await costOf(gateway, readings, async () => rates.gateway1.push(await flood(gateway.port, 1))));
      rates.bare1.push(await flood(bare.port, 1));
      rates.gateway50.push(await flood(gateway.port, 50));
      rates.bare50.push(await flood(bare.port, 50));
    }
  } finally {
    await gateway.stop();
    await bare.close();
  }
  return {
    embedded_rps_1: median(rates.gateway1),
    embedded_rps_50: median(rates.gateway50),
    bare_aedes_rps: median(rates.bare1),
    bare_aedes_rps_50: median(rates.bare50),
    cpu_us_per_reading: median(costs.map(({ cpuUs }) => cpuUs)),
    disk_bytes_per_reading: median(costs.map(({ writtenBytes }) => writtenBytes)),
    embedded_vs_bare_aedes: medianRatio(rates.gateway1, rates.bare1),
    embedded_vs_bare_aedes_50: medianRatio(rates.gateway50, rates.bare50),
  };
}

const rateOf = ({ readings, elapsedMs }: Outcome): number => (readings * 1_000) / elapsedMs;

const medianRatio = (ours: readonly number[], theirs: readonly number[]): number =>
  median(ours.map((rate, round) => rate / (theirs[round] ?? Number.NaN)));

interface Cost {
  readonly cpuUs: number;
  readonly writtenBytes: number;
}

/** Per reading, of the gateway's whole process; and the way from the log of SQLite into its file, which comes later. */
async function costOf(gateway: BenchGateway, readings: number, work: () => Promise<unknown>): Promise<Cost> {
  const own = () => figuresOf('self').writtenBytes;
  checkpoint(gateway.bufferFile);
  const storedBefore = gateway.stored();
  const before = figuresOf(gateway.pid);
  await work();
  const after = figuresOf(gateway.pid);
  const ownBefore = own();
  checkpoint(gateway.bufferFile);
  const stored = gateway.stored() - storedBefore;
  if (stored !== readings) throw new Error(`${stored} of ${readings} acknowledged readings are in the buffer`);
  return {
    cpuUs: ((after.cpuMs - before.cpuMs) * 1_000) / readings,
    writtenBytes: (after.writtenBytes - before.writtenBytes + own() - ownBefore) / readings,
  };
}

/** A gateway of its own, as quiet as it is in daily life: 20 connections. */
async function measureSteady({ size, dir }: Setting, publisher: Publisher) {
  const { steadyMs: forMs, slowMs } = SIZES[size];
  const gateway = await openGateway(join(dir, 'steady'));
  const steady = async (perSecond: number, ms: number): Promise<Outcome> => {
    const pace = { kind: 'steady', perSecond, forMs: ms } as const;
    return await publisher.publish({ port: gateway.port, clients: 20, meters: METERS, pace });
  };
  try {
    await steady(1_000, forMs / 4); // every meter is known then, and the code compiled
    await steady(100, forMs / 8);
    checkpoint(gateway.bufferFile); // or the way of all that came before into the file would be counted too
    const before = figuresOf(gateway.pid);
    const ownBefore = figuresOf('self').writtenBytes;
    const slow = await steady(100, slowMs);
    checkpoint(gateway.bufferFile);
    const written =
      figuresOf(gateway.pid).writtenBytes - before.writtenBytes + figuresOf('self').writtenBytes - ownBefore;
    const fast = await steady(5_000, forMs / 2);
    return {
      disk_bytes_per_reading_100rps: written / slow.readings,
      ack_p99_ms_100rps: slow.ackMs.p99,
      ack_p99_ms_5000rps: fast.ackMs.p99,
    };
  } finally {
    await gateway.stop();
  }
}
