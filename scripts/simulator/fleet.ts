import { type MeterId, parseMeterId } from '../../agent/domain/brand.js';
import { invariant } from '../../agent/domain/errors.js';
import { drawMeterError } from '../../models/fleet/feeder.js';
import type { Span } from '../../models/fleet/outages.js';
import { streamOf } from '../../models/fleet/random-stream.js';
import { createStreet, type StreetOptions } from '../../models/fleet/street.js';
import { meterNoise, voltageAt } from '../../models/fleet/voltage.js';
import { type CountedDay, createMeteredLoad, exchanged, type MeteredLoad } from './metered-load.js';
import type { Condition, SentReading, Shown } from './sent-reading.js';
import { countedW, type Theft } from './thefts.js';

export interface SimulatedMeter {
  readonly id: MeterId;
  readonly kind: 'customer' | 'feeder';
  readonly feeder?: MeterId;
  /** Among all meters of the fleet; everything random about it is drawn by this number. */
  readonly number: number;
  readonly phases: readonly number[];
  /** What the meter shows at that moment; the same moment always gives the same reading. */
  at(atMs: number): SentReading;
  /** The same, with what it says of itself. */
  shown(atMs: number): Shown;
  /** What it says of itself at that moment. */
  conditions(atMs: number): readonly Condition[];
  /** When a thief makes what it shows jump: it is set back, or changes places with another. */
  readonly registerBreakMs: number | undefined;
  /** What was truly counted by it, unrounded, whatever was done to what it shows; only differences mean something. */
  countedWh(atMs: number): number;
  /** What has truly flown to this customer, or through this feeder; only differences mean something. */
  consumedWh(atMs: number): number;
  /** A day as the meter itself counts it. */
  dayOf(day: number): CountedDay;
  voltageAt(atMs: number, watts: number): number;
  /** Minutes of that day in which it has no voltage and says nothing. */
  outagesOn(day: number): readonly Span[];
}

export interface FleetOptions extends Omit<StreetOptions, 'stepMinutes'> {
  /** Nothing before this is ever asked for. */
  readonly fromMs: number;
  readonly stepMinutes?: number;
  readonly thefts?: readonly Theft[];
}

const DAY_MS = 86_400_000;
const ERROR_STREAM = 41;
const FEEDER_NUMBERS_FROM = 500_000;

/** Customers and the feeder meters above them, made from a seed. */
export function createFleet(options: FleetOptions): readonly SimulatedMeter[] {
  const { seed, fromMs, stepMinutes = 1 } = options;
  const street = createStreet({ ...options, stepMinutes });
  const thefts = options.thefts ?? [];
  const firstDay = Math.floor(fromMs / DAY_MS) - 1;
  const feederIds = Array.from({ length: street.feeders }, (_, index) => meterId(`feeder-${index + 1}`));
  const errorOf = (number: number, meterClass: '1' | '0.5') =>
    drawMeterError(meterClass, streamOf(seed, ERROR_STREAM, number));

  const loads = Array.from({ length: street.customers }, (_, customer) => {
    const theft = thefts.find((one) => one.customer === customer);
    const gain = errorOf(customer, '1');
    const truth = (day: number): Float32Array => street.customerW(customer, day);
    return {
      counted: createMeteredLoad({
        firstDay,
        stepMinutes,
        importWh: 1_000_000 + customer * 1_234,
        watts: (day) => countedW(truth(day), theft, { seed, day }).map((watts) => watts * gain),
      }),
      consumed: createMeteredLoad({ firstDay, stepMinutes, importWh: 0, watts: truth }),
    };
  });

  const customers = loads.map((load, customer): SimulatedMeter => {
    const theft = thefts.find((one) => one.customer === customer);
    const swap = thefts.find(({ deed }) => deed.kind === 'swapped_meters' && deed.with === customer);
    const other = theft?.deed.kind === 'swapped_meters' ? theft.deed.with : swap?.customer;
    const swappedFromMs = (theft?.deed.kind === 'swapped_meters' ? theft : swap)?.fromMs ?? Number.POSITIVE_INFINITY;
    const feeder = feederIds[street.feederOf(customer)];
    const hangsInPlaceOf = (atMs: number): number => (other !== undefined && atMs >= swappedFromMs ? other : customer);
    const taken = other === undefined ? undefined : loads[other]?.counted;
    return meterOf({
      id: meterId(`meter-${String(customer + 1).padStart(3, '0')}`),
      kind: 'customer',
      ...(feeder === undefined ? {} : { feeder }),
      number: customer,
      seed,
      hasExport: (atMs) =>
        (street.traitsOf(hangsInPlaceOf(atMs), Math.floor(atMs / DAY_MS))?.solarPeakW ?? 0) > 0 ||
        (theft?.deed.kind === 'reversed_phase' && atMs >= theft.fromMs),
      phases: street.phasesOf(customer),
      seen: taken === undefined ? load.counted : exchanged(load.counted, taken, swappedFromMs),
      registerBreakMs:
        taken !== undefined ? swappedFromMs : theft?.deed.kind === 'register_rollback' ? theft.fromMs : undefined,
      rollbackWh: (atMs) => (theft?.deed.kind === 'register_rollback' && atMs >= theft.fromMs ? theft.deed.wh : 0),
      conditions: (atMs) => conditionsOf(theft, atMs),
      consumed: load.consumed,
      outagesOn: (day) => street.outagesOn(street.feederOf(customer), day),
    });
  });

  const feeders = feederIds.map((id, feeder): SimulatedMeter => {
    const number = FEEDER_NUMBERS_FROM + feeder;
    const gain = errorOf(number, '0.5');
    const truth = (day: number): Float32Array => street.feederW(feeder, day);
    const counted = createMeteredLoad({
      firstDay,
      stepMinutes,
      importWh: 90_000_000 + feeder * 12_345,
      watts: (day) => truth(day).map((watts) => watts * gain),
    });
    return meterOf({
      id,
      kind: 'feeder',
      number,
      seed,
      hasExport: () => false,
      phases: [0.36, 0.33, 0.31],
      seen: counted,
      registerBreakMs: undefined,
      rollbackWh: () => 0,
      conditions: () => [],
      consumed: createMeteredLoad({ firstDay, stepMinutes, importWh: 0, watts: truth }),
      outagesOn: (day) => street.outagesOn(feeder, day),
    });
  });
  return [...customers, ...feeders];
}

function conditionsOf(theft: Theft | undefined, atMs: number): readonly Condition[] {
  if (theft === undefined || atMs < theft.fromMs || atMs >= theft.toMs) return [];
  if (theft.deed.kind === 'tamper_flag') return ['tamper'];
  return theft.deed.kind === 'reversed_phase' ? ['reversed'] : [];
}

type Given = 'id' | 'kind' | 'feeder' | 'number' | 'phases' | 'outagesOn' | 'conditions' | 'registerBreakMs';

interface Making extends Pick<SimulatedMeter, Given> {
  readonly seed: number;
  hasExport(atMs: number): boolean;
  readonly seen: MeteredLoad;
  rollbackWh(atMs: number): number;
  readonly consumed: MeteredLoad;
}

function meterOf({ seed, hasExport, seen, rollbackWh, consumed, ...meter }: Making): SimulatedMeter {
  const drawnBy = { seed, number: meter.number };
  function at(atMs: number): SentReading {
    const { watts, importWh, exportWh } = seen.at(atMs);
    const voltage = voltageAt(drawnBy, atMs, watts);
    return {
      ts: atMs,
      power_w: round(watts * (1 + 0.02 * meterNoise(drawnBy, atMs, 1)), 1),
      import_wh: round(importWh - rollbackWh(atMs), 1),
      ...(hasExport(atMs) ? { export_wh: round(exportWh, 1) } : {}),
      voltage_v: round(voltage, 1),
      current_a: round(Math.abs(watts) / voltage, 3),
    };
  }
  return {
    ...meter,
    at,
    voltageAt: (atMs, watts) => voltageAt(drawnBy, atMs, watts),
    dayOf: (day) => seen.dayOf(day),
    shown: (atMs) => ({ reading: at(atMs), conditions: meter.conditions(atMs) }),
    countedWh: (atMs) => seen.countedWh(atMs),
    consumedWh: (atMs) => consumed.at(atMs).importWh,
  };
}

function meterId(name: string): MeterId {
  const id = parseMeterId(name);
  invariant(id !== undefined, `${name} is a meter id`);
  return id;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
