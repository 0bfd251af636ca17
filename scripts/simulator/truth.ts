import { invariant } from '../../agent/domain/errors.js';
import type { RejectReason } from '../../agent/domain/rejection.js';
import type { FaultKind } from './faults.js';
import type { SimulatedMeter } from './fleet.js';
import type { SimulatedMessage } from './meter-messages.js';
import type { Theft } from './thefts.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Which refusals each fault accounts for; what the gateway refuses beyond them is a defect of the one or the other. */
export const REFUSALS: Partial<Record<FaultKind, readonly RejectReason[]>> = {
  duplicate: ['duplicate'],
  garbled: ['not_json'],
  empty: ['nothing_usable'],
  spike: ['out_of_range'],
  clock_unset: ['bad_clock'],
  // Set back, it passes the same moments once more with other values.
  clock_jump: ['conflicting', 'in_future'],
  clock_drift: ['conflicting', 'in_future'],
};

/** A register is believed again within this time after it was reset, once something was used. */
const DOUBT_MS = 6 * HOUR_MS;
/** After these no one who sees the messages alone can tell how much was counted, until the doubt is over. */
const BREAKS: ReadonlySet<FaultKind> = new Set<FaultKind>(['register_reset', 'register_unit', 'clock_jump']);
/** Nothing of these can be believed. */
const USELESS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'garbled',
  'empty',
  'spike',
  'register_glitch',
  'register_unit',
  'clock_unset',
  'clock_jump',
]);

/** One UTC day of one meter: what it counted, and whether it said enough for anybody to know. */
export interface TrueDay {
  readonly what: 'day';
  readonly meter: string;
  readonly day: string;
  /** By the import register, as the meter counts it. */
  readonly counted_wh: number;
  /** What has truly flown; more than was counted where something is stolen. */
  readonly consumed_wh: number;
  /** Energy between the midnights and the nearest believable readings, on both sides; null where there is none. */
  readonly uncertain_wh: number | null;
  readonly known: boolean;
}

export interface TrueTheft {
  readonly what: 'theft';
  readonly meter: string;
  readonly from: string;
  /** Null where it has no end. */
  readonly to: string | null;
  readonly deed: NamedDeed;
}

/** Meters by their names, as everywhere in the file. */
type NamedDeed =
  | Exclude<Theft['deed'], { readonly kind: 'swapped_meters' }>
  | { readonly kind: 'swapped_meters'; readonly with: string };

export interface TrueFault {
  readonly what: 'fault';
  readonly meter: string;
  readonly sent: string;
  readonly faults: readonly FaultKind[];
  readonly topic: string;
  readonly payload: string;
}

interface Point {
  readonly atMs: number;
  readonly wh: number;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface MeterTruth {
  readonly name: string;
  readonly meter: SimulatedMeter;
  /** Of each midnight, the believable readings nearest to it. */
  readonly before: Map<number, Point>;
  readonly after: Map<number, Point>;
  readonly breaks: Span[];
}

export interface Truth {
  /** To be called for each message that the broker has acknowledged, in any order between meters. */
  sent(meter: SimulatedMeter, message: SimulatedMessage): void;
  /** Every day until then lies in a buffer, whole, and not a reading of it was lost. */
  filled(toMs: number): void;
  /** Whole days of the simulation that ended by then. */
  days(toMs: number): Iterable<TrueDay>;
  thefts(): Iterable<TrueTheft>;
}

interface TruthOptions {
  readonly meters: readonly SimulatedMeter[];
  /** Those that never say anything; among them, too, may be thieves. */
  readonly silent: readonly SimulatedMeter[];
  readonly thefts: readonly Theft[];
  readonly fromMs: number;
  nameOf(meter: SimulatedMeter): string;
  /** Messages with faults, as they go out. */
  onFault(fault: TrueFault): void;
}

export function createTruth({ meters, silent, thefts, fromMs, nameOf, onFault }: TruthOptions): Truth {
  const known = new Map(
    meters.map((meter): [SimulatedMeter, MeterTruth] => [
      meter,
      { meter, name: nameOf(meter), before: new Map(), after: new Map(), breaks: breaksByTheft(meter, thefts) },
    ]),
  );

  function customerName(customer: number): string {
    const meter = [...meters, ...silent].find(({ kind, number }) => kind === 'customer' && number === customer);
    invariant(meter !== undefined, `customer ${customer} is one of the fleet`);
    return nameOf(meter);
  }

  return {
    sent(meter, message) {
      const truth = known.get(meter);
      if (truth === undefined) return;
      if (message.faults.length > 0) {
        const sent = new Date(message.dueMs).toISOString();
        const { faults, topic, payload } = message;
        onFault({ what: 'fault', meter: truth.name, sent, faults, topic, payload });
      }
      note(truth, message);
    },
    filled(toMs) {
      for (const { meter, before, after } of known.values()) {
        for (let midnight = Math.ceil(fromMs / DAY_MS) * DAY_MS; midnight <= toMs; midnight += DAY_MS) {
          const there = { atMs: midnight, wh: meter.countedWh(midnight) };
          before.set(midnight, there);
          after.set(midnight, there);
        }
      }
    },
    *days(toMs) {
      for (const truth of known.values()) {
        for (let day = Math.ceil(fromMs / DAY_MS); (day + 1) * DAY_MS <= toMs; day++)
          yield dayOf(truth, day, { fromMs, toMs });
      }
    },
    *thefts() {
      for (const { customer, fromMs: from, toMs: to, deed } of thefts) {
        const spell = (atMs: number): string => new Date(atMs).toISOString();
        yield {
          what: 'theft',
          meter: customerName(customer),
          from: spell(from),
          to: Number.isFinite(to) ? spell(to) : null,
          deed: deed.kind === 'swapped_meters' ? { ...deed, with: customerName(deed.with) } : deed,
        };
      }
    },
  };
}

/** A register that is set back, or belongs to somebody else from now on, is doubted for a while. */
function breaksByTheft({ kind, number }: SimulatedMeter, thefts: readonly Theft[]): Span[] {
  if (kind === 'feeder') return [];
  return thefts.flatMap(({ customer, deed, fromMs }) => {
    const isMine = customer === number && (deed.kind === 'register_rollback' || deed.kind === 'swapped_meters');
    const isOther = deed.kind === 'swapped_meters' && deed.with === number;
    return isMine || isOther ? [{ fromMs, toMs: fromMs + DOUBT_MS }] : [];
  });
}

function note({ meter, before, after, breaks }: MeterTruth, message: SimulatedMessage): void {
  const { takenMs, tsMs, faults, wrongSinceMs } = message;
  // With a clock that is a little off, a reading counts for the side of midnight on which both times lie.
  const [early, late] = [Math.min(takenMs, tsMs), Math.max(takenMs, tsMs)];
  if (faults.some((kind) => BREAKS.has(kind))) {
    addSpan(breaks, { fromMs: Math.min(wrongSinceMs, tsMs) - HOUR_MS, toMs: late + DOUBT_MS });
  }
  if (faults.some((kind) => USELESS.has(kind))) return;
  const wh = meter.countedWh(takenMs);
  const next = Math.ceil(late / DAY_MS) * DAY_MS;
  if ((before.get(next)?.atMs ?? Number.NEGATIVE_INFINITY) < takenMs) before.set(next, { atMs: takenMs, wh });
  const last = Math.floor(early / DAY_MS) * DAY_MS;
  if ((after.get(last)?.atMs ?? Number.POSITIVE_INFINITY) > takenMs) after.set(last, { atMs: takenMs, wh });
}

/** One span for a fault that goes on and on. */
function addSpan(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  if (last === undefined || span.fromMs > last.toMs || span.toMs < last.fromMs) spans.push(span);
  else spans[spans.length - 1] = { fromMs: Math.min(last.fromMs, span.fromMs), toMs: Math.max(last.toMs, span.toMs) };
}

interface Run {
  readonly fromMs: number;
  readonly toMs: number;
}

function dayOf({ meter, name, before, after, breaks }: MeterTruth, day: number, { fromMs, toMs }: Run): TrueDay {
  const [from, to] = [day * DAY_MS, (day + 1) * DAY_MS];
  const ends = [from, to].map((midnight) => {
    const there = { atMs: midnight, wh: meter.countedWh(midnight) };
    // Beyond the ends of the simulation nothing was ever sent, so that nothing of it can be counted.
    const low = before.get(midnight) ?? (midnight <= fromMs ? there : undefined);
    const high = after.get(midnight) ?? (midnight + DAY_MS > toMs ? there : undefined);
    return low === undefined || high === undefined ? undefined : { low, high, wh: high.wh - low.wh };
  });
  const [first, last] = ends;
  const uncertain = first === undefined || last === undefined ? null : first.wh + last.wh;
  const isBroken = breaks.some(
    (span) => span.fromMs <= (last?.high.atMs ?? to) && span.toMs >= (first?.low.atMs ?? from),
  );
  return {
    what: 'day',
    meter: name,
    day: new Date(from).toISOString().slice(0, 10),
    counted_wh: rounded(meter.countedWh(to) - meter.countedWh(from)),
    consumed_wh: rounded(meter.consumedWh(to) - meter.consumedWh(from)),
    uncertain_wh: uncertain === null ? null : rounded(uncertain),
    known: uncertain !== null && !isBroken,
  };
}

const rounded = (wh: number): number => Number(wh.toFixed(1));
