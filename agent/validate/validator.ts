import { Buffer } from 'node:buffer';
import { type EpochMs, epochMs, METER_ID_RULE, type MeterId, parseMeterId } from '../domain/brand.js';
import { FLAGS } from '../domain/flags.js';
import type { Note } from '../domain/quality.js';
import { isEmpty, MEASURES, type Measure, type Reading, type Values } from '../domain/reading.js';
import type { Rejected } from '../domain/rejection.js';
import type { Captures, Feed, Parsed, Refusal, Sample } from './feeds/feed.js';
import { printOfRegisters, printOfValues } from './fingerprint.js';
import { createMeterMemory, type KnownMeter, type Undo } from './meter-memory.js';
import { parseJson } from './payload.js';
import { judgePlausibility } from './plausibility.js';
import { type Remembered, recall } from './recall.js';
import type { Limits } from './register.js';
import { hasValues, type Recent, seenAt } from './repeats.js';
import { iso, type TimeRules, timeOf } from './times.js';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What is known of one meter beforehand. */
export interface MeterFacts {
  /** Instead of the cap for all: from its rated power, or because it is a feeder. */
  readonly capW?: number;
  readonly registerMaxWh?: number;
}

export interface Rules extends TimeRules {
  readonly maxPayloadBytes: number;
  readonly ranges: Readonly<Record<Measure, Range>>;
  readonly register: 'auto' | 'refuse';
  readonly maxRegistered: number;
  /** The mean power between two values of a register that no meter exceeds, unless its facts say otherwise. */
  readonly capW: number;
  readonly registerToleranceWh: number;
  readonly meters: ReadonlyMap<MeterId, MeterFacts>;
}

/** What validation needs to know of a publication. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly repeated: boolean;
  readonly receivedAtMs: EpochMs;
}

export interface Verdict {
  readonly readings: readonly Reading[];
  readonly rejected: readonly Rejected[];
  readonly notes: readonly Note[];
  /** The batch was not stored: forget that it was seen, so that its repeat is taken. */
  forget(): void;
}

/** Lives: whoever stores a reading of a new meter adds it. */
export interface RegisteredMeters {
  has(meter: MeterId): boolean;
  readonly size: number;
}

export interface Validator {
  /** Before the first batch: what each meter sent last, oldest first. */
  remember(readings: Iterable<Remembered>): void;
  /** The gateway's time has moved, and with it whatever it has stamped. With `nowMs`, it is known. */
  timeMoved(byMs: number, nowMs?: number): void;
  validate(batch: readonly Publication[]): Verdict;
}

/** Decides over every value set that arrives: a reading, or kept aside with a reason. Never throws. */
export function createValidator(
  rules: Rules,
  feeds: readonly Feed[],
  registered: RegisteredMeters,
  isTimeKnown: () => boolean = () => true,
): Validator {
  const memory = createMeterMemory();
  /** Meters whose last reading has the time of the gateway. */
  const stamped = new Set<MeterId>();
  const usual: Limits = { capW: rules.capW, toleranceWh: rules.registerToleranceWh, maxWh: undefined };

  function limitsOf(meter: MeterId, { registerMaxWh }: Sample): Limits {
    const facts = rules.meters.get(meter);
    if (facts === undefined && registerMaxWh === undefined) return usual;
    return { ...usual, capW: facts?.capW ?? usual.capW, maxWh: facts?.registerMaxWh ?? registerMaxWh };
  }

  function judge(sample: Sample, arrived: Arrived, batch: Batch): Refusal | undefined {
    const { isAlone, publication, expected } = arrived;
    const { repeated, receivedAtMs } = publication;
    const known = expected?.id === sample.meter ? expected : memory.find(sample.meter);
    const meter = meterOf(sample.meter, known, batch.fresh);
    if (typeof meter !== 'string') return meter;
    const fault = valueFault(sample);
    if (fault !== undefined) return fault;
    const time = timeOf(sample.ownTimeMs, { receivedAtMs, isAlone, isTimeKnown: isTimeKnown() }, rules);
    if ('reason' in time) return time;

    const before = memory.stateOf(known);
    const isOwn = time.source === 'meter';
    const takenAtMs = isOwn ? time.takenAtMs : ownTick(before.lastMs, receivedAtMs);
    const print = { takenAtMs, values: printOfValues(sample.values), registers: registersOf(sample) };
    if (known !== undefined) {
      const repeat = isOwn ? repeatOf(known, print) : repeated && hasValues(known, print) ? REPEAT : undefined;
      if (repeat !== undefined) return repeat;
    }

    const judged = judgePlausibility(before, sample, { meter, takenAtMs, limits: limitsOf(meter, sample) });
    if (judged.refusal !== undefined || judged.values === undefined) {
      batch.undos.push(memory.learn(meter, { known, before, state: judged.state, print: undefined }));
      return judged.refusal;
    }
    batch.undos.push(memory.learn(meter, { known, before, state: judged.state, print }));
    if (isOwn) stamped.delete(meter);
    else stamped.add(meter);
    const clock = !isOwn && time.clockOff ? 1 << FLAGS.meter_clock_off.bit : 0;
    const flags = judged.flags | clock;
    // One by one: spread behind other fields, they would be copied by name.
    const { powerW, importWh, exportWh, voltageV, currentA, powerFactor, frequencyHz } = judged.values;
    batch.readings.push({
      meter,
      takenAtMs,
      timeSource: time.source,
      receivedAtMs,
      powerW,
      importWh,
      exportWh,
      voltageV,
      currentA,
      powerFactor,
      frequencyHz,
      flags,
    });
    if (judged.notes.length > 0) batch.notes.push(...judged.notes);
    if (clock !== 0) {
      const detail = `it says ${iso(sample.ownTimeMs ?? 0)} at ${iso(receivedAtMs)}`;
      batch.notes.push({ meter, flag: 'meter_clock_off', detail });
    }
    if (!registered.has(meter)) batch.fresh.add(meter);
    return undefined;
  }

  function* noteStamped(readings: Iterable<Remembered>): Iterable<Remembered> {
    for (const reading of readings) {
      if (reading.timeSource === 'gateway') stamped.add(reading.meter);
      else stamped.delete(reading.meter);
      yield reading;
    }
  }

  function valueFault({ values, importDeltaWh, exportDeltaWh }: Sample): Refusal | undefined {
    const { ranges } = rules;
    // One by one for nearly all of them; the list is gone through only to say which.
    const areWithin =
      isWithin(values.powerW, ranges.powerW) &&
      isWithin(values.importWh, ranges.importWh) &&
      isWithin(values.exportWh, ranges.exportWh) &&
      isWithin(values.voltageV, ranges.voltageV) &&
      isWithin(values.currentA, ranges.currentA) &&
      isWithin(values.powerFactor, ranges.powerFactor) &&
      isWithin(values.frequencyHz, ranges.frequencyHz);
    if (!areWithin) return rangeFaultOf(values, ranges);
    if (importDeltaWh === undefined && exportDeltaWh === undefined && isEmpty(values))
      return { reason: 'nothing_usable', detail: 'no value in it' };
    return (
      deltaFault('importDeltaWh', importDeltaWh, rules.ranges.importWh) ??
      deltaFault('exportDeltaWh', exportDeltaWh, rules.ranges.exportWh)
    );
  }

  function meterOf(name: string, known: KnownMeter | undefined, fresh: ReadonlySet<MeterId>): MeterId | Refusal {
    // Whoever has sent before has a name that was checked before.
    const meter = known?.id ?? parseMeterId(name);
    if (meter === undefined) return { reason: 'bad_meter_id', detail: `${name} is not ${METER_ID_RULE}` };
    if (registered.has(meter) || fresh.has(meter)) return meter;
    if (rules.register === 'refuse') return { reason: 'unknown_meter', detail: `${meter} is not registered` };
    if (registered.size + fresh.size >= rules.maxRegistered) {
      return { reason: 'unknown_meter', detail: `${rules.maxRegistered} meters are registered already` };
    }
    return meter;
  }

  function feedOf(topic: string): Addressed | undefined {
    for (const feed of feeds) {
      const captures = feed.match(topic);
      if (captures !== undefined) return { feed, captures };
    }
    return undefined;
  }

  /** A name that nobody has registered is counted under no name. */
  function ofMeter(name: string | undefined): { readonly meter?: MeterId } {
    const meter = name as MeterId | undefined;
    return meter !== undefined && registered.has(meter) ? { meter } : {};
  }

  /** One publication: its readings and refusals are added to what the batch has so far. */
  function take({ publication, found, expected }: Arrival, batch: Batch): void {
    const { topic, receivedAtMs } = publication;
    const refuse = (refusal: Refusal, payload: Uint8Array, meter: string | undefined): void => {
      batch.rejected.push({ ...refusal, topic, receivedAtMs, payload, ...ofMeter(meter) });
    };
    const named = found?.captures['meter'];
    const cut = publication.payload.subarray(0, rules.maxPayloadBytes);
    if (cut.length < publication.payload.length) {
      refuse({ reason: 'too_large', detail: `${publication.payload.length} bytes` }, cut, named);
      return;
    }
    if (found === undefined) {
      refuse({ reason: 'bad_meter_id', detail: 'no feed knows this topic' }, cut, undefined);
      return;
    }
    const json = parseJson(cut);
    if ('refusal' in json) {
      refuse(json.refusal, cut, named);
      return;
    }
    const items = found.feed.decode(found.captures, json.value, publication.receivedAtMs);
    if (items === 'ignored') return;
    if ('reason' in items) {
      refuse(items, cut, named);
      return;
    }
    const arrived: Arrived = { publication, expected, isAlone: () => areOfDifferentMeters(items) };
    for (const item of items) {
      const refusal = 'refusal' in item ? item.refusal : judge(item.sample, arrived, batch);
      if (refusal === undefined) continue;
      const payload = items.length === 1 ? cut : Buffer.from(JSON.stringify(item.raw) ?? '');
      refuse(refusal, payload, 'sample' in item ? item.sample.meter : named);
    }
  }

  return {
    remember: (readings) => recall(memory, noteStamped(readings)),
    timeMoved(byMs, nowMs) {
      for (const meter of stamped) memory.move(meter, byMs);
      if (nowMs === undefined) return;
      // Nobody could refuse a meter's clock that ran ahead; held against that, all that follows would be late.
      for (const { meter, lastMs } of memory.beyond(nowMs + rules.maxFutureMs)) memory.move(meter, nowMs - lastMs);
    },
    validate(publications) {
      const batch: Batch = { readings: [], rejected: [], notes: [], fresh: new Set(), undos: [] };
      const addressed = publications.map(({ topic }) => feedOf(topic));
      const expected = memory.findAll(addressed.map((found) => found?.captures['meter']));
      for (const [index, publication] of publications.entries()) {
        take({ publication, found: addressed[index], expected: expected[index] }, batch);
      }
      const { readings, rejected, notes, undos } = batch;
      return {
        readings,
        rejected,
        notes,
        forget() {
          for (const undo of undos.splice(0).reverse()) undo();
        },
      };
    },
  };
}

/** The feed that a topic is of, and what the topic says. */
interface Addressed {
  readonly feed: Feed;
  readonly captures: Captures;
}

interface Arrival {
  readonly publication: Publication;
  readonly found: Addressed | undefined;
  /** Whom its topic names, if it has sent before; the payload has the last word. */
  readonly expected: KnownMeter | undefined;
}

interface Arrived extends Pick<Arrival, 'publication' | 'expected'> {
  readonly isAlone: () => boolean;
}

interface Batch {
  readonly readings: Reading[];
  readonly rejected: Rejected[];
  readonly notes: Note[];
  /** Meters that this batch would register. */
  readonly fresh: Set<MeterId>;
  readonly undos: Undo[];
}

const REPEAT: Refusal = { reason: 'duplicate', detail: 'stored before' };

function repeatOf(recent: Recent, print: Parameters<typeof seenAt>[1]): Refusal | undefined {
  const seen = seenAt(recent, print);
  if (seen === 'new') return undefined;
  if (seen === 'same') return REPEAT;
  return { reason: 'conflicting', detail: `other values are stored for ${iso(print.takenAtMs)}` };
}

const registersOf = ({ values, importDeltaWh, exportDeltaWh }: Sample): number =>
  printOfRegisters(values.importWh, values.exportWh, importDeltaWh, exportDeltaWh);

/** Two readings without a time of their own may arrive in one millisecond, and are still two. */
const ownTick = (lastMs: EpochMs | undefined, receivedAtMs: EpochMs): EpochMs =>
  lastMs !== undefined && lastMs >= receivedAtMs && lastMs < receivedAtMs + 1_000 ? epochMs(lastMs + 1) : receivedAtMs;

const isWithin = (value: number | undefined, { min, max }: Range): boolean =>
  value === undefined || (value >= min && value <= max);

function rangeFaultOf(values: Values, ranges: Rules['ranges']): Refusal | undefined {
  for (const measure of MEASURES) {
    const value = values[measure];
    if (value !== undefined && !isWithin(value, ranges[measure])) return rangeFault(measure, value, ranges[measure]);
  }
  return undefined;
}

function rangeFault(measure: string, value: number, { min, max }: Range): Refusal {
  if (!Number.isFinite(value)) return { reason: 'not_finite', detail: `${measure} is ${value}` };
  return { reason: 'out_of_range', detail: `${measure} ${value} is not within ${min} to ${max}` };
}

function deltaFault(name: string, value: number | undefined, { max }: Range): Refusal | undefined {
  if (value === undefined || (value >= 0 && value <= max)) return undefined;
  return rangeFault(name, value, { min: 0, max });
}

const areOfDifferentMeters = (items: readonly Parsed[]): boolean =>
  items.length === 1 ||
  new Set(items.map((item) => ('sample' in item ? item.sample.meter : undefined))).size === items.length;
