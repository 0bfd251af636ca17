import type { EpochMs, MeterId } from './brand.js';

/** Input that was not taken as a reading, kept aside as it came. */
export interface Rejected {
  readonly receivedAtMs: EpochMs;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly reason: RejectReason;
  readonly detail: string;
  /** Only a meter that is registered: names that strangers think up are counted together. */
  readonly meter?: MeterId;
}

/** What each refusal means to the person who finds it; docs/rejections.md is generated from this table. */
export const REJECT_REASONS = {
  not_json: 'The payload is not JSON text in UTF-8.',
  too_large: 'The payload is longer than `mqtt.max_payload_bytes`.',
  too_deep: 'The JSON is nested more than 16 levels deep.',
  bad_shape: 'The JSON is neither a reading nor an array of readings, or a field has the wrong type.',
  bad_meter_id: 'The topic names no meter, or one with characters that an identifier may not have.',
  unknown_meter:
    'The meter is not registered and `meters.register` is `refuse`, or the cap on automatic registration is reached.',
  nothing_usable: 'None of the fields that make a reading is present.',
  not_finite: 'A value is not a finite number.',
  out_of_range: 'A value lies outside the range of its quantity in `validate`.',
  time_missing: 'The reading has no time of its own, and `validate.require_time` demands one.',
  bad_time: 'The time is not a number of milliseconds that a calendar knows.',
  bad_clock:
    'The clock of the meter was never set: it stands before 2015. Readings are refused for it when `validate.bad_clock` is `refuse`, and always when they came several at once.',
  in_future:
    'The time lies further ahead than `validate.max_future_s`. Readings are refused for it when `validate.bad_clock` is `refuse`, and always when they came several at once.',
  too_old: 'The time lies further back than `validate.max_age_days`.',
  duplicate: 'The same values for the same time were stored before; a repeat, not a second reading.',
  conflicting: 'Another value set is stored for the same time of the same meter; the first one stands.',
  going_back:
    'The register stands below an earlier value or above a later one, and nothing else was in the reading. A reset is accepted once following readings confirm it.',
  step_too_big:
    'The register moved further than the physical cap allows in that time, and nothing else was in the reading.',
} as const;

export type RejectReason = keyof typeof REJECT_REASONS;
