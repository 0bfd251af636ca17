import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, parseMeterId } from '../../agent/domain/brand.js';
import { systemClock } from '../../agent/domain/clock.js';
import type { RejectReason } from '../../agent/domain/rejection.js';
import type { FaultKind } from '../../scripts/simulator/faults.js';
import { createFleet } from '../../scripts/simulator/fleet.js';
import { formatOf } from '../../scripts/simulator/formats/choice.js';
import { REGISTER_MAX_WH } from '../../scripts/simulator/meter-messages.js';
import { parseOptions } from '../../scripts/simulator/options.js';
import { type Plan, planOf } from '../../scripts/simulator/plan.js';
import { createSimulation } from '../../scripts/simulator/run.js';
import { REFUSALS, type TrueDay, type TrueFault } from '../../scripts/simulator/truth.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { until } from '../kit/until.js';

/**
 * Everything at once that can go wrong on the way of a reading, against the real gateway, for days that pass in
 * minutes. `npm run soak` makes a week of it that takes an hour (WEEK_MINUTES).
 */

const DAY_MS = 86_400_000;
const MINUTES = Number(process.env['WEEK_MINUTES'] ?? 0);
const SEED = Number(process.env['SEED'] ?? 5);
const isSoak = MINUTES > 0;
const [days, meters] = isSoak ? [7, 100] : [2, 12];
const FEEDERS = isSoak ? 4 : 2;
/** Formats differ in what they can say and how finely, and so in what is refused; a soak is for one of them. */
const RUNS: readonly (readonly [format: string, wallMinutes: number])[] = isSoak
  ? [[process.env['WEEK_FORMAT'] ?? 'native', MINUTES]]
  : [
      ['native', 0.25],
      ['mixed', 0.1],
    ];
/** The buffer keeps tenths of watt hours, some formats whole ones, and some times whole seconds only. */
const RESOLUTION_WH = 3;

test.each(RUNS)(
  `${days} days with all faults, %s: what the meters told is known, what is refused has its reason, nothing grows (seed ${SEED})`,
  {
    timeout: MINUTES * 60_000 + 135_000,
  },
  async (format, wallMinutes) => {
    const plan = planFor(format, wallMinutes);
    const gateway = await openLoneGateway(settings(plan));
    try {
      const { faults, trueDays } = await simulate(gateway, plan);
      const path = join(gateway.dir, 'data', 'buffer.sqlite');
      expect(unexplained(path, faults)).toEqual([]);
      const strange = await until('every day agrees', () => agreed(path, trueDays), { withinMs: 15_000 }).catch(() =>
        disagreements(path, trueDays),
      );
      const known = trueDays.filter((day) => day.known);
      console.log(
        `${known.length} of ${trueDays.length} meter days are known, ${strange === true ? 0 : strange.length} disagree`,
      );
      expect(strange === true ? [] : strange.slice(0, 20)).toEqual([]);
      expect(known.length).toBeGreaterThan(trueDays.length / 2);
    } finally {
      await gateway.close();
    }
  },
);

function settings({ fleet, startMs, format }: Plan): object {
  const known = createFleet({ ...fleet, fromMs: startMs }).map((meter) => ({
    id: formatOf(format, meter).meterName(meter),
    ...(meter.kind === 'feeder' ? { kind: 'feeder' } : {}),
    register_max_wh: REGISTER_MAX_WH,
  }));
  return {
    meters: { known },
    feeds: { enabled: ['native', 'tasmota', 'zigbee2mqtt', 'wmbusmeters'] },
    validate: { bad_clock: 'refuse', max_age_days: 4_000 },
    buffer: { max_rejected: 100_000 },
    log: { level: 'error' },
  };
}

function planFor(format: string, wallMinutes: number): Plan {
  const given = {
    format,
    meters,
    feeders: FEEDERS,
    days,
    // The same faults whenever it is run.
    start: '2026-03-02T00:00:00Z',
    interval: 60,
    seed: SEED,
    speed: (days * 1_440) / wallMinutes,
    faults: 'all',
    'fault-times': isSoak ? 1 : 2,
    thefts: Math.floor(meters / 3),
    outages: 6,
    unregistered: 1,
    missing: 1,
    shedding: 1,
  };
  const options = parseOptions(
    Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]),
    systemClock,
  );
  const plan = planOf(options, systemClock);
  if ('contradiction' in plan) throw new Error(plan.contradiction);
  return plan;
}

async function simulate(
  gateway: LoneGateway,
  plan: Plan,
): Promise<{ faults: readonly TrueFault[]; trueDays: readonly TrueDay[] }> {
  const faults: TrueFault[] = [];
  const simulation = createSimulation({
    ...plan,
    url: `mqtt://${gateway.mqtt}`,
    clock: systemClock,
    signal: new AbortController().signal,
    onProgress: (message) => console.log(message),
    onFault: (fault) => void faults.push(fault),
  });
  const growth = watch(gateway.pid);
  const { messages } = await simulation.run();
  const grown = growth.end();
  console.log(`${messages} messages, ${faults.length} with a fault; ${JSON.stringify(grown)}`);
  expect(grown.handles).toBeLessThanOrEqual(1.05);
  // A process of half a minute is still warming up.
  if (isSoak) expect(grown.memory).toBeLessThanOrEqual(1.05);
  return { faults, trueDays: [...simulation.truth.days(plan.endMs)] };
}

interface Growth {
  readonly memory: number;
  readonly handles: number;
}

/** How much more there is in the last third of a run than in its second: the first is the start. */
function watch(pid: number): { end(): Growth } {
  const samples: { readonly memory: number; readonly handles: number }[] = [];
  const timer = setInterval(() => samples.push(look(pid)), isSoak ? 10_000 : 250);
  return {
    end() {
      clearInterval(timer);
      const third = Math.floor(samples.length / 3);
      const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
      const ratio = (of: 'memory' | 'handles') =>
        median(last.map((sample) => sample[of])) / median(middle.map((sample) => sample[of]));
      return { memory: ratio('memory'), handles: ratio('handles') };
    },
  };
}

function look(pid: number): { memory: number; handles: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
  return { memory: kilobytes, handles: readdirSync(`/proc/${pid}/fd`).length };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const agreed = (path: string, trueDays: readonly TrueDay[]): true | undefined =>
  disagreements(path, trueDays).length === 0 ? true : undefined;

/** Days of which the buffer says another energy than the meter counted, beyond what nobody can know. */
function disagreements(path: string, trueDays: readonly TrueDay[]): readonly object[] {
  const reader = openReader(path);
  try {
    return trueDays.flatMap(({ meter, day, counted_wh, uncertain_wh, known }) => {
      const id = parseMeterId(meter);
      if (!known || id === undefined || uncertain_wh === null) return [];
      const fromMs = Date.parse(`${day}T00:00:00Z`);
      const slots = reader.slotsOf(id, epochMs(fromMs), epochMs(fromMs + DAY_MS));
      const stored = slots.reduce((sum, { energyMwh }) => sum + energyMwh / 1_000, 0);
      const off = stored - counted_wh;
      return Math.abs(off) <= uncertain_wh + RESOLUTION_WH
        ? []
        : [{ meter, day, counted_wh, uncertain_wh, off, slots: slots.length }];
    });
  } finally {
    reader.close();
  }
}

/** Of the message of a meter whose clock is wrong: another one, taken when that clock is right, comes to stand there. */
const OFF_CLOCKS: readonly FaultKind[] = ['clock_jump', 'clock_drift'];

/** Where a message stands in time by its own words: in whole seconds, some of them. */
function placeOf(topic: string, payload: string): string | undefined {
  try {
    const { ts, Time, timestamp, last_seen } = JSON.parse(payload) as Readonly<Record<string, unknown>>;
    return `${topic} ${String(ts ?? Time ?? timestamp ?? last_seen)}`;
  } catch {
    return undefined;
  }
}

/** What was refused although nothing had been done to it or in its place, or for another reason than that. */
function unexplained(path: string, faults: readonly TrueFault[]): readonly object[] {
  const done = new Map<string, FaultKind[]>();
  const taken = new Set<string | undefined>();
  for (const { topic, payload, faults: kinds } of faults) {
    if (kinds.some((kind) => OFF_CLOCKS.includes(kind))) taken.add(placeOf(topic, payload));
    const key = `${topic} ${payload}`;
    done.set(key, [...(done.get(key) ?? []), ...kinds]);
  }
  const reader = openReader(path);
  try {
    const rejected = reader.rejected({ limit: 1_000_000 });
    expect(rejected.length).toBe(Object.values(reader.rejectedCounts()).reduce((sum, count) => sum + count, 0));
    const found = new Set<RejectReason>();
    const rest = rejected.flatMap(({ topic, payload, reason, detail }) => {
      const text = Buffer.from(payload).toString('utf8');
      const kinds = done.get(`${topic} ${text}`) ?? [];
      found.add(reason);
      const place = placeOf(topic, text);
      if (reason === 'conflicting' && place !== undefined && taken.has(place)) return [];
      return kinds.some((kind) => REFUSALS[kind]?.includes(reason)) ? [] : [{ topic, text, reason, detail, kinds }];
    });
    console.log(`${rejected.length} refused, for ${[...found].sort().join(', ')}`);
    for (const reason of ['duplicate', 'not_json', 'nothing_usable', 'out_of_range'] as const)
      expect(found).toContain(reason);
    return rest.slice(0, 20);
  } finally {
    reader.close();
  }
}
