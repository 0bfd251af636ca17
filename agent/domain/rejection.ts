import type { EpochMs } from './brand.js';

/** Input that was not taken as a reading, kept aside as it came. */
export interface Rejected {
  readonly receivedAtMs: EpochMs;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly reason: RejectReason;
  readonly detail: string;
}

/** What each refusal means to the person who finds it; docs/rejections.md is generated from this table. */
export const REJECT_REASONS = {
  not_json: 'The payload is not JSON text in UTF-8.',
  too_large: 'The payload is longer than `mqtt.max_payload_bytes`.',
  bad_shape: 'The JSON is neither a reading nor an array of readings, or a field has the wrong type.',
  bad_meter_id: 'The topic names no meter, or one with characters that an identifier may not have.',
  unknown_meter:
    'The meter is not registered and `meters.register` is `refuse`, or the cap on automatic registration is reached.',
  nothing_usable: 'None of the fields that make a reading is present.',
  out_of_range: 'A value lies outside what is physically possible for its quantity.',
  bad_time: 'The time is not a number of milliseconds, lies in the future, or is older than `validate.max_age_days`.',
  duplicate: 'The same values for the same time were stored before; a repeat, not a second reading.',
  conflicting: 'Another value set is stored for the same time of the same meter; the first one stands.',
} as const;

export type RejectReason = keyof typeof REJECT_REASONS;
