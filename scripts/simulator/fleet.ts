import { epochMs, type MeterId, parseMeterId } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import { invariant } from '../../agent/domain/errors.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import { createHouseholds } from '../../models/synthetic.js';

/** A payload as a meter of wattwarden's own format sends it. */
export interface SentReading {
  readonly ts: number;
  readonly power_w: number;
  readonly import_wh: number;
  readonly voltage_v: number;
  readonly current_a: number;
}

export interface SimulatedMeter {
  readonly id: MeterId;
  readonly kind: 'customer' | 'feeder';
  readonly feeder?: MeterId;
  /** What the meter shows at that moment; the same moment always gives the same reading. */
  at(atMs: number): SentReading;
}

export interface FleetOptions {
  readonly customers: number;
  readonly feeders: number;
  readonly seed: number;
  /** Nothing before this is ever asked for. */
  readonly fromMs: number;
  readonly days: number;
  /** From then on the first customer bypasses its meter. */
  readonly theftFromMs?: number;
}

const WEEK_MS = 7 * 86_400_000;
/** 1970 began on a Thursday. */
const FIRST_MONDAY_MS = 4 * 86_400_000;
/** What the lines between the feeder meter and its customers take. */
const TECHNICAL_LOSS = 0.03;
/** What still runs through a bypassed meter. */
const BYPASS_SHARE = 0.04;

/** Customers and the feeder meters above them, made from a seed. */
export function createFleet(options: FleetOptions): readonly SimulatedMeter[] {
  const startMs = epochMs(Math.floor((options.fromMs - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS);
  const days = options.days + 7;
  const households = createHouseholds({ meters: options.customers, days, seed: options.seed, startMs });
  const slotOf = (atMs: number): number =>
    Math.min(days * 288 - 1, Math.max(0, Math.floor((atMs - startMs) / SLOT_MS)));
  const feederIds = Array.from({ length: options.feeders }, (_, index) => meterId(`feeder-${index + 1}`));

  const real = households.map(({ powerW }) => withoutGaps(powerW));
  const shown = real.map((powerW, index) => {
    if (index !== 0 || options.theftFromMs === undefined) return powerW;
    const from = slotOf(options.theftFromMs);
    return powerW.map((watts, slot) => (slot >= from ? watts * BYPASS_SHARE : watts));
  });
  const feederPower = feederIds.map((_, feeder) =>
    sum(real.filter((__, customer) => customer % options.feeders === feeder)).map(
      (watts) => watts * (1 + TECHNICAL_LOSS),
    ),
  );

  const customers = shown.map((powerW, index): SimulatedMeter => {
    const feeder = feederIds[index % options.feeders];
    const id = meterId(`meter-${String(index + 1).padStart(3, '0')}`);
    return {
      id,
      kind: 'customer',
      ...(feeder === undefined ? {} : { feeder }),
      at: reader(powerW, { startMs, slotOf, index }),
    };
  });
  const feeders = feederPower.map((powerW, index): SimulatedMeter => {
    const id = feederIds[index];
    invariant(id !== undefined, 'there is an id for each feeder');
    return { id, kind: 'feeder', at: reader(powerW, { startMs, slotOf, index: 10_000 + index }) };
  });
  return [...customers, ...feeders];
}

interface Timing {
  readonly startMs: number;
  slotOf(atMs: number): number;
  readonly index: number;
}

function reader(powerW: Float32Array, { startMs, slotOf, index }: Timing): (atMs: number) => SentReading {
  // Energy at the beginning of each slot; the register of a meter that has counted for years.
  const energyWh = new Float64Array(powerW.length + 1);
  energyWh[0] = 1_000_000 + index * 1_234;
  for (const [slot, watts] of powerW.entries())
    energyWh[slot + 1] = (energyWh[slot] ?? 0) + (watts * SLOT_MS) / 3_600_000;
  return (atMs) => {
    const slot = slotOf(atMs);
    const noise = seededRandom((index * 7_919 + Math.floor(atMs / 1_000)) >>> 0);
    const watts = powerW[slot] ?? 0;
    const withinMs = atMs - (startMs + slot * SLOT_MS);
    const voltage = 230 + 4 * Math.sin(atMs / 13_000_000 + index) + (noise() - 0.5);
    return {
      ts: atMs,
      power_w: round(watts * (1 + 0.04 * (noise() - 0.5)), 1),
      import_wh: round((energyWh[slot] ?? 0) + (watts * withinMs) / 3_600_000, 1),
      voltage_v: round(voltage, 1),
      current_a: round(watts / voltage, 3),
    };
  };
}

/** The households come with slots that a meter did not report; here it is the publisher who decides what is reported. */
function withoutGaps(powerW: Float32Array): Float32Array {
  let last = 0;
  return powerW.map((watts) => {
    if (!Number.isNaN(watts)) last = watts;
    return last;
  });
}

function sum(series: readonly Float32Array[]): Float32Array {
  const total = new Float32Array(series[0]?.length ?? 0);
  for (const values of series) for (const [slot, value] of values.entries()) total[slot] = (total[slot] ?? 0) + value;
  return total;
}

function meterId(name: string): MeterId {
  const id = parseMeterId(name);
  invariant(id !== undefined, `${name} is a meter id`);
  return id;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
