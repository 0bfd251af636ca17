import { between, poisson, streamOf } from '../../models/fleet/random-stream.js';

/** What goes wrong between a meter and the gateway. */
export const FAULTS = {
  gap: { perDay: 0.5, about: 'nothing is sent for a while, and never will be' },
  silence: { perDay: 0.03, about: 'nothing is sent for half a day or more' },
  late: { perDay: 0.3, about: 'the readings of a while are sent when the link is back' },
  duplicate: { perDay: 6, about: 'a message is sent twice' },
  disorder: { perDay: 4, about: 'a message is overtaken by later ones' },
  jitter: { perDay: 0.5, about: 'for hours, readings are not taken when they should be' },
  clock_drift: { perDay: 0.1, about: 'the meter’s clock runs away by up to 40 s and is set right' },
  clock_jump: { perDay: 0.04, about: 'the meter’s clock stands wrong by up to two hours for a while' },
  clock_unset: { perDay: 0.03, about: 'the meter’s clock begins anew in 2000 for a while' },
  register_reset: { perDay: 0.04, about: 'the register begins again at zero' },
  register_glitch: { perDay: 0.5, about: 'one reading has the register at zero' },
  spike: { perDay: 0.5, about: 'one reading has a power that no wire carries' },
  power_unit: { perDay: 0.06, about: 'for hours, power comes in kW where W was agreed' },
  register_unit: { perDay: 0.03, about: 'for hours, the register comes in kWh where Wh was agreed' },
  garbled: { perDay: 0.5, about: 'a message arrives cut in half' },
  empty: { perDay: 0.3, about: 'a message has no values' },
  rollover: { perDay: 0, about: 'a register passes its largest value and begins at zero; some meters in each fleet' },
} as const;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

/** Those that concern one message; the others last for a while. */
const SINGLE: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'duplicate',
  'disorder',
  'register_glitch',
  'spike',
  'garbled',
  'empty',
  'register_reset',
]);

export interface Fault {
  readonly kind: FaultKind;
  readonly fromMs: number;
  /** The same moment for what concerns one message: the first after it. */
  readonly toMs: number;
  /** 0..1, what the kind makes of it: how far a clock jumps, how late a message is. */
  readonly size: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const FAULT_STREAM = 51;

/** How long each lasts, from a lot. */
const LASTS: Partial<Record<FaultKind, readonly [number, number]>> = {
  gap: [5 * MINUTE_MS, 3 * HOUR_MS],
  silence: [10 * HOUR_MS, 26 * HOUR_MS],
  late: [10 * MINUTE_MS, 4 * HOUR_MS],
  jitter: [2 * HOUR_MS, 12 * HOUR_MS],
  clock_drift: [6 * HOUR_MS, 30 * HOUR_MS],
  clock_jump: [10 * MINUTE_MS, 3 * HOUR_MS],
  clock_unset: [5 * MINUTE_MS, 2 * HOUR_MS],
  power_unit: [2 * HOUR_MS, 10 * HOUR_MS],
  register_unit: [2 * HOUR_MS, 10 * HOUR_MS],
};

export interface FaultPlan {
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  /** How many times as often as usual. */
  readonly times: number;
}

/** What begins at one meter on one day, in order. A function of its arguments: days may be asked for in any order. */
export function faultsOn({ seed, kinds, times }: FaultPlan, meter: number, day: number): readonly Fault[] {
  const faults: Fault[] = [];
  for (const kind of kinds) {
    const random = streamOf(seed, FAULT_STREAM, FAULT_KINDS.indexOf(kind), meter, day);
    for (let count = poisson(random, Math.min(FAULTS[kind].perDay * times, 100)); count > 0; count--) {
      const fromMs = day * DAY_MS + Math.floor(random() * DAY_MS);
      const [shortest, longest] = LASTS[kind] ?? [0, 0];
      const lastsMs = SINGLE.has(kind) ? 0 : Math.floor(between(random, shortest, longest));
      faults.push({ kind, fromMs, toMs: fromMs + lastsMs, size: random() });
    }
  }
  return faults.sort((a, b) => a.fromMs - b.fromMs || FAULT_KINDS.indexOf(a.kind) - FAULT_KINDS.indexOf(b.kind));
}

/** No fault lasts longer: who wants to know what is wrong now need not look further back. */
export const LONGEST_FAULT_DAYS = 2;
