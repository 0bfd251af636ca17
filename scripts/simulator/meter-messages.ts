import { unitOf } from '../../models/fleet/random-stream.js';
import { type Fault, type FaultKind, type FaultPlan, faultsOn, LONGEST_FAULT_DAYS } from './faults.js';
import type { SimulatedMeter } from './fleet.js';
import type { Format } from './formats/format.js';
import type { SentReading } from './sent-reading.js';

/** One message as it leaves the meter, and what it has to do with the truth. */
export interface SimulatedMessage {
  readonly dueMs: number;
  readonly topic: string;
  readonly payload: string;
  /** When it was truly taken, and what its meter says of that. */
  readonly takenMs: number;
  readonly tsMs: number;
  readonly faults: readonly FaultKind[];
  /** Since when something has been wrong: the beginning of the oldest of its faults, or when it was taken. */
  readonly wrongSinceMs: number;
}

export interface MessageOptions {
  readonly meter: SimulatedMeter;
  readonly format: Format;
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  readonly faults: FaultPlan;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PHASE_STREAM = 52;
const JITTER_STREAM = 53;
const ROLLOVER_STREAM = 54;
const ROLLOVER_SHARE = 0.15;
/** Messages that a link held back come this close together. */
const CATCHING_UP_MS = 200;
const UNSET_CLOCK_MS = Date.UTC(2000, 0, 1);

/**
 * Everything that one meter sends, in order of sending. Made from the options alone, one message at a time: whoever
 * sends them decides when, and never what.
 */
export function* messagesOf(options: MessageOptions): Generator<SimulatedMessage, void> {
  const held: Held[] = [];
  let order = 0;
  for (const taken of readingsOf(options)) {
    for (const message of sentOf(taken, options)) {
      held.push({ message, order });
      order += 1;
    }
    held.sort((a, b) => a.message.dueMs - b.message.dueMs || a.order - b.order);
    while (held[0] !== undefined && held[0].message.dueMs <= taken.takenMs) {
      yield held[0].message;
      held.shift();
    }
  }
  for (const { message } of held) if (message.dueMs < options.toMs) yield message;
}

interface Held {
  readonly message: SimulatedMessage;
  readonly order: number;
}

interface Taken {
  readonly takenMs: number;
  readonly active: readonly Fault[];
  readonly register: ShownRegister;
}

interface ShownRegister {
  readonly shiftWh: number;
  /** Where it begins again at zero; most have more digits than they will ever need. */
  readonly maxWh: number;
}

/** The moments at which the meter takes a reading that it means to send, with what is wrong at each. */
function* readingsOf({ meter, fromMs, toMs, intervalMs, faults }: MessageOptions): Generator<Taken, void> {
  // Meters that were switched on together must not report together for ever.
  const phaseMs = Math.floor(unitOf(faults.seed, PHASE_STREAM, meter.number) * intervalMs);
  const first = Math.ceil((fromMs - phaseMs) / intervalMs);
  const log = faultLog(faults, meter.number);
  let singlesDone = fromMs;
  /** What was reset unseen is told with the next reading. */
  let resets: readonly Fault[] = [];
  const maxWh = rollsOver(faults, meter.number) ? REGISTER_MAX_WH : Number.POSITIVE_INFINITY;
  let shiftWh = Number.isFinite(maxWh) ? belowMax(meter, { fromMs, seed: faults.seed }) : 0;
  for (let count = first; ; count++) {
    const plannedMs = count * intervalMs + phaseMs;
    if (plannedMs >= toMs) return;
    const recent = log(Math.floor(plannedMs / DAY_MS));
    const lasting = recent.filter(
      (fault) => fault.toMs > fault.fromMs && fault.fromMs <= plannedMs && plannedMs < fault.toMs,
    );
    const once = recent.filter(
      (fault) => fault.toMs === fault.fromMs && fault.fromMs > singlesDone && fault.fromMs <= plannedMs,
    );
    const takenMs = lasting.some(({ kind }) => kind === 'jitter')
      ? jittered(plannedMs, { intervalMs, faults, meter })
      : plannedMs;
    const reset = once.filter(({ kind }) => kind === 'register_reset');
    if (reset.length > 0) shiftWh = -meter.at(takenMs).import_wh;
    // A thief sets back what was reset by no more than it has counted since.
    if (shiftWh < 0) shiftWh = Math.max(shiftWh, -meter.at(takenMs).import_wh);
    resets = [...resets, ...reset];
    singlesDone = plannedMs;
    const active = [...lasting, ...once.filter(({ kind }) => kind !== 'register_reset'), ...resets];
    if (active.some(({ kind }) => kind === 'gap' || kind === 'silence') || isDark(meter, takenMs)) continue;
    resets = [];
    yield { takenMs, active, register: { shiftWh, maxWh } };
  }
}

/** Faults that may still matter on a day, kept while that day is asked for. */
function faultLog(plan: FaultPlan, meter: number): (day: number) => readonly Fault[] {
  let known: { readonly day: number; readonly faults: readonly Fault[] } | undefined;
  return (day) => {
    if (known?.day !== day) {
      const days = Array.from({ length: LONGEST_FAULT_DAYS + 1 }, (_, back) => day - LONGEST_FAULT_DAYS + back);
      known = { day, faults: days.flatMap((one) => faultsOn(plan, meter, one)) };
    }
    return known.faults;
  };
}

function jittered(
  plannedMs: number,
  { intervalMs, faults, meter }: Pick<MessageOptions, 'intervalMs' | 'faults' | 'meter'>,
): number {
  const lot = unitOf(faults.seed, JITTER_STREAM, meter.number, Math.floor(plannedMs / DAY_MS), plannedMs % DAY_MS);
  return Math.floor(plannedMs + 0.4 * (lot - 0.5) * intervalMs);
}

function isDark(meter: SimulatedMeter, atMs: number): boolean {
  const minute = (atMs % DAY_MS) / 60_000;
  return meter
    .outagesOn(Math.floor(atMs / DAY_MS))
    .some(({ fromMinute, toMinute }) => minute >= fromMinute && minute < toMinute);
}

/** The messages of one reading after everything that happened to it. */
function sentOf(
  { takenMs, active, register }: Taken,
  { meter, format, intervalMs }: MessageOptions,
): SimulatedMessage[] {
  const { reading, conditions } = meter.shown(takenMs);
  const has = (kind: FaultKind): Fault | undefined => active.find((fault) => fault.kind === kind);
  const distorted = distort(
    { ...reading, ts: clockOf(takenMs, has), import_wh: asShown(reading.import_wh, register) },
    has,
  );
  const faults = active.map(({ kind }) => kind);
  const wrongSinceMs = Math.min(takenMs, ...active.map(({ fromMs }) => fromMs));
  const late = has('late');
  const overtaken = has('disorder');
  let dueMs = takenMs;
  if (overtaken !== undefined) dueMs += Math.floor((1.2 + 2 * overtaken.size) * intervalMs);
  if (late !== undefined) dueMs = late.toMs + Math.floor(((takenMs - late.fromMs) / intervalMs) * CATCHING_UP_MS);
  const messages = format
    .encode(meter, { reading: distorted, conditions })
    .map(({ topic, payload }): SimulatedMessage => {
      const damaged = has('garbled') !== undefined ? payload.slice(0, Math.floor(payload.length / 2)) : payload;
      const emptied = has('empty') !== undefined ? '{}' : damaged;
      return { dueMs, topic, payload: emptied, takenMs, tsMs: distorted.ts, faults, wrongSinceMs };
    });
  const twice = has('duplicate');
  if (twice === undefined) return messages;
  const again = Math.floor(1_000 + twice.size * Math.min(10 * intervalMs, HOUR_MS));
  return [...messages, ...messages.map((message) => ({ ...message, dueMs: message.dueMs + again }))];
}

/** In tenths of a watt hour. */
const asShown = (wh: number, { shiftWh, maxWh }: ShownRegister): number =>
  (Math.round(10 * (wh + shiftWh)) % (10 * maxWh)) / 10;

type Has = (kind: FaultKind) => Fault | undefined;

const DRIFT_MS = 40_000;
const JUMP_MS = 2 * HOUR_MS;

function clockOf(takenMs: number, has: Has): number {
  const unset = has('clock_unset');
  if (unset !== undefined) return UNSET_CLOCK_MS + (takenMs - unset.fromMs);
  const jump = has('clock_jump');
  if (jump !== undefined) return Math.floor(takenMs + (2 * jump.size - 1) * JUMP_MS);
  const drift = has('clock_drift');
  if (drift === undefined) return takenMs;
  return Math.floor(
    takenMs + ((takenMs - drift.fromMs) / (drift.toMs - drift.fromMs)) * (2 * drift.size - 1) * DRIFT_MS,
  );
}

function distort(reading: SentReading, has: Has): SentReading {
  const changed = { ...reading };
  if (has('power_unit') !== undefined) changed.power_w = Number((reading.power_w / 1_000).toFixed(3));
  if (has('register_unit') !== undefined) changed.import_wh = Number((reading.import_wh / 1_000).toFixed(3));
  if (has('register_glitch') !== undefined) changed.import_wh = 0;
  if (has('spike') !== undefined) changed.power_w = 1e9;
  return changed;
}

/** Eight digits: 99,999,999 Wh are followed by none. The gateway has to be told. */
export const REGISTER_MAX_WH = 100_000_000;

/** A seeded choice of meters whose register stands just below its largest value when the simulation begins. */
export const rollsOver = ({ kinds, seed }: Pick<FaultPlan, 'kinds' | 'seed'>, meter: number): boolean =>
  kinds.includes('rollover') && unitOf(seed, ROLLOVER_STREAM, meter) < ROLLOVER_SHARE;

/** Some days of a household, or some hours of a feeder, below it. */
function belowMax(meter: SimulatedMeter, { fromMs, seed }: { fromMs: number; seed: number }): number {
  const room = (meter.kind === 'feeder' ? 100_000 : 10_000) * (0.2 + unitOf(seed, ROLLOVER_STREAM, meter.number, 1));
  return REGISTER_MAX_WH - room - meter.at(fromMs).import_wh;
}
