import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openReader } from '../../agent/buffer/reader.js';
import { invariant } from '../../agent/domain/errors.js';
import { freePort } from '../../tests/kit/free-port.js';
import { until } from '../../tests/kit/until.js';
import type { Bench, Setting, Size } from './bench.js';
import { openConnection } from './load/connection.js';
import { openPublisher, type Publisher } from './load/publisher.js';
import { figuresOf } from './process-figures.js';
import { median } from './statistics.js';
import { type BareAedes, openBareAedes } from './subjects/bare-aedes.js';
import { type BenchCentre, openCentre } from './subjects/centre.js';
import { type BenchGateway, openGateway } from './subjects/gateway.js';

interface Extent {
  readonly meters: number;
  /** The whole window of the models, where there is time for it. */
  readonly pastSlots: number;
  readonly steadyMs: number;
  readonly starts: number;
}

const SIZES: Readonly<Record<Size, { readonly usual: Extent; readonly many: Extent }>> = {
  tiny: {
    usual: { meters: 20, pastSlots: 4, steadyMs: 1_000, starts: 1 },
    many: { meters: 40, pastSlots: 2, steadyMs: 1_000, starts: 1 },
  },
  quick: {
    usual: { meters: 1_000, pastSlots: 40, steadyMs: 8_000, starts: 5 },
    many: { meters: 20_000, pastSlots: 1, steadyMs: 8_000, starts: 1 },
  },
  // Longer than a slot, so that slots close, forecasts are made and the log is moved into its file meanwhile.
  full: {
    usual: { meters: 1_000, pastSlots: 300, steadyMs: 400_000, starts: 9 },
    many: { meters: 20_000, pastSlots: 30, steadyMs: 400_000, starts: 3 },
  },
};
const CONNECTIONS = 20;
const PER_SECOND = 100;
/** More than the longest past. */
const PAST_DAYS = 3;
const SAMPLE_MS = 250;
const TRY_MS = 2;
/** The threads are up by then, and have collected what their start left behind and given it back. */
const SETTLED_AFTER_MS = 15_000;
/** It has no slots to close. */
const BARE_STEADY_MS = 30_000;

export const footprint: Bench = {
  about: '1,000 meters on 20 connections at 100 readings/s, with forecasts, scores, the page and a centre',
  goals: {
    rss_mb: { atMost: 140 },
    rss_mb_20000_meters: { atMost: 450 },
    start_to_ack_ms: { atMost: 1_000 },
  },
  measure,
};

async function measure(setting: Setting) {
  const { size, dir, say } = setting;
  const publisher = openPublisher();
  const centre = await openCentre(join(dir, 'centre'));
  try {
    const measureOne = async (extent: Extent) => {
      say(`${extent.meters} meters`);
      return await measureGateway(extent, { dir, publisher, centre });
    };
    const bare = await measureBare(SIZES[size].usual, publisher);
    const usual = await measureOne(SIZES[size].usual);
    const many = await measureOne(SIZES[size].many);
    return {
      metrics: {
        rss_mb: usual.residentMb,
        rss_mb_20000_meters: many.residentMb,
        cpu_percent: usual.cpuPercent,
        cpu_percent_20000_meters: many.cpuPercent,
        start_to_ack_ms: usual.startToAckMs,
        bare_aedes_rss_mb: bare.residentMb,
        bare_aedes_cpu_percent: bare.cpuPercent,
        bare_aedes_start_to_ack_ms: bare.startToAckMs,
      },
      ratios: {
        rss_vs_bare_aedes: usual.residentMb / bare.residentMb,
        start_to_ack_vs_bare_aedes: usual.startToAckMs / bare.startToAckMs,
      },
    };
  } finally {
    await centre.close();
    await publisher.close();
  }
}

interface Surroundings {
  readonly dir: string;
  readonly publisher: Publisher;
  readonly centre: BenchCentre;
}

/** Its past first, then a restart: what the import of the past has left in memory is not what is asked for. */
async function measureGateway(extent: Extent, { dir, publisher, centre }: Surroundings) {
  const { meters, pastSlots, steadyMs, starts } = extent;
  const own = join(dir, `gateway-${meters}`);
  const port = await freePort();
  const settings = { mqtt: { port }, log: { level: 'warn' }, ...(await centre.enrol(`bench-${meters}`)) };
  let gateway = await openGateway(own, settings);
  await publisher.publish({ port, clients: CONNECTIONS, meters, pace: { kind: 'past', slots: pastSlots } });
  await until('the past is analysed and at the centre', () => isDone(gateway, meters * pastSlots), {
    withinMs: 600_000,
    everyMs: 500,
  });

  const startsToAck: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    await gateway.stop();
    const beganMs = performance.now();
    // Not the end of its start: it takes readings while its other threads still load.
    const acknowledged = firstAck(port, start).then(() => performance.now() - beganMs);
    gateway = await openGateway(own, settings);
    startsToAck.push(await acknowledged);
  }
  try {
    const steady = await measureSteady(gateway, { publisher, meters, steadyMs });
    return { ...steady, startToAckMs: median(startsToAck) };
  } finally {
    await gateway.stop();
  }
}

/** The embedded broker's library alone: what Node.js and MQTT take before anything is checked, stored or forecast. */
async function measureBare({ meters, steadyMs, starts }: Extent, publisher: Publisher) {
  let bare: BareAedes | undefined;
  const startsToAck: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    await bare?.close();
    const beganMs = performance.now();
    bare = await openBareAedes();
    await firstAck(bare.port, start);
    startsToAck.push(performance.now() - beganMs);
  }
  invariant(bare !== undefined, 'every size starts it once at least');
  try {
    const steady = await measureSteady(bare, { publisher, meters, steadyMs: Math.min(steadyMs, BARE_STEADY_MS) });
    return { ...steady, startToAckMs: median(startsToAck) };
  } finally {
    await bare.close();
  }
}

interface Steady {
  readonly publisher: Publisher;
  readonly meters: number;
  readonly steadyMs: number;
}

async function measureSteady({ port, pid }: { port: number; pid: number }, { publisher, meters, steadyMs }: Steady) {
  const steady = (forMs: number) =>
    publisher.publish({
      port,
      clients: CONNECTIONS,
      meters,
      pace: { kind: 'steady', perSecond: PER_SECOND, forMs },
    });
  await steady(SETTLED_AFTER_MS);
  const before = figuresOf(pid);
  const sampled = sampleResident(pid);
  const { elapsedMs } = await steady(steadyMs);
  return {
    residentMb: sampled.end() / 1e6,
    cpuPercent: ((figuresOf(pid).cpuMs - before.cpuMs) * 100) / elapsedMs,
  };
}

/** All of it: a gateway that has not closed its first slot yet has nothing left to analyse either. */
function isDone({ bufferFile }: BenchGateway, slots: number): boolean {
  const reader = openReader(bufferFile);
  try {
    const waits = Object.values(reader.backlog()).some((rows) => rows > 0);
    if (waits || reader.slotsToAnalyse(reader.analysedUpTo(), 1).slots.length > 0) return false;
    let analysed = 0;
    Array.from(reader.readAnalysed(PAST_DAYS, () => (analysed += 1)));
    return analysed >= slots;
  } finally {
    reader.close();
  }
}

/** The median: neither the moment before a collection of garbage nor the one after it. */
function sampleResident(pid: number): { end(): number } {
  const samples: number[] = [];
  const sample = () => void samples.push(figuresOf(pid).residentBytes);
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      sample();
      return median(samples);
    },
  };
}

/** Tries until somebody listens; resolves when a reading is acknowledged. */
async function firstAck(port: number, start: number): Promise<void> {
  for (;;) {
    try {
      await new Promise<void>((resolve, reject) => {
        const connecting = openConnection({ port, name: `first-${start}`, onAck: () => resolve(), onLost: reject });
        connecting.then((connection) => {
          connection.add('meters/bench-0/reading', JSON.stringify({ power_w: 100 + start }));
          connection.send();
        }, reject);
      });
      return;
    } catch {
      await delay(TRY_MS); // nobody listens yet
    }
  }
}
