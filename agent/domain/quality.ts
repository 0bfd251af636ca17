import type { MeterId } from './brand.js';
import { FLAG_NAMES, FLAGS, type Flag } from './flags.js';
import { REJECT_REASONS, type RejectReason } from './rejection.js';

/** A rule of validation: a refusal takes a reading away, a flag leaves it usable. */
export type Rule = RejectReason | Flag;

/** What stands behind a flag, in words with the figures: `fell from 215,700 to 0 Wh`. */
export interface Note {
  readonly meter: MeterId;
  readonly flag: Flag;
  readonly detail: string;
}

/** How often a rule spoke about one meter on one day (UTC), or how many readings were accepted. */
export interface QualityCount {
  /** `2026-01-15` */
  readonly day: string;
  /** Null: meters that are not registered, all together. */
  readonly meter: MeterId | null;
  readonly rule: Rule | 'accepted';
  readonly count: number;
  /** The last case in words; empty when there are none. */
  readonly detail: string;
}

export const RULES = [...(Object.keys(REJECT_REASONS) as RejectReason[]), ...FLAG_NAMES] as readonly Rule[];

export const isRefusal = (rule: Rule): rule is RejectReason => rule in REJECT_REASONS;

export const meaningOf = (rule: Rule): string => (isRefusal(rule) ? REJECT_REASONS[rule] : FLAGS[rule].about);

const FEED = 'Look at the payload with `wattwarden rejected`; the feed that reads this topic may need another mapping.';
const CLOCK = 'Set the clock of the meter, or let it take the time from the network (NTP).';
const DEVICE = 'Compare the register with the display of the meter; ask when it was replaced or restarted.';

/** Rules that speak about data that are all right: counted, and no fault of the meter. */
const HARMLESS: ReadonlySet<Rule> = new Set<Rule>([
  'duplicate',
  'register_jitter',
  'register_rollover',
  'register_summed',
]);

export const isFault = (rule: Rule): boolean => !HARMLESS.has(rule);

/** What a person does about it. */
export const ADVICE: Readonly<Record<Rule, string>> = {
  not_json: FEED,
  too_large: 'Let the meter send smaller batches, or raise `mqtt.max_payload_bytes`.',
  too_deep: 'No meter does that: find out who publishes on this topic.',
  bad_shape: FEED,
  bad_meter_id: 'Give the meter a topic with a name that an identifier may have.',
  unknown_meter: 'Enter it under `meters.known`, or raise `meters.max_registered`.',
  nothing_usable: FEED,
  not_finite: 'The firmware of the meter divides by zero or overflows; ask for a newer one.',
  out_of_range: 'Check the unit (per cent, kW, mA) in the mapping; widen the range in `validate` if the value is real.',
  time_missing: 'Let the meter send its time, or switch `validate.require_time` off.',
  bad_time: FEED,
  bad_clock: CLOCK,
  in_future: CLOCK,
  too_old: 'Bring old readings in by import, or raise `validate.max_age_days`.',
  duplicate: 'Nothing, if few: the link repeats what it is not sure of. If many, two bridges forward the same meter.',
  conflicting: 'Two devices share one name, or the time of the meter is too coarse for its interval.',
  going_back: DEVICE,
  step_too_big: 'Check the unit of the register; a large customer needs `meters.known[].rated_power_w`.',
  tamper: 'Visit the meter: this is its own evidence.',
  outage: 'Compare with the other meters of the feeder; alone, somebody may have cut it off.',
  fault: 'Have the meter checked or replaced.',
  reversed: 'Have the wiring checked: current transformers may be mounted the wrong way round.',
  meter_clock_off: CLOCK,
  register_jitter: 'Nothing: the last digit of the register wavers.',
  register_back: DEVICE,
  register_step: 'Check the unit of the register; a large customer needs `meters.known[].rated_power_w`.',
  register_reset: 'Ask when the meter was replaced, restarted or preset; without a cause, visit it.',
  register_rollover: 'Nothing: the register is full and begins again, as `register_max_wh` says.',
  register_summed: 'Nothing: this meter has no register of its own. What is lost on the way is missing in the sum.',
  unit_suspect:
    'Check the unit of power and register in the mapping; the detail names the factor. Nothing is rescaled.',
  time_estimated: 'Give the gateway a battery-backed clock, or a time service that it reaches soon after a start.',
  estimated: 'Nothing: a link or a meter was silent. The energy of the gap is complete, its course is not known.',
  after_suspect_zero: 'Nothing, if few: the device reports a false zero when it is asked twice in a second.',
};
