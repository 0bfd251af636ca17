import type { EpochMs } from '../../domain/brand.js';
import type { MeterFlag } from '../../domain/flags.js';
import type { Values } from '../../domain/reading.js';
import type { RejectReason } from '../../domain/rejection.js';

/** One value set as it was sent, in wattwarden's units: right types, nothing checked against the world yet. */
export interface Sample {
  /** Name of the meter as the feed makes it out; the rules check it. */
  readonly meter: string;
  /** The meter's own time, when it has one. */
  readonly ownTimeMs?: EpochMs;
  readonly values: Values;
  /** Energy since the sample before, from sources that send increments and no register. */
  readonly importDeltaWh?: number;
  readonly exportDeltaWh?: number;
  /** Where this meter's registers begin again at zero. */
  readonly registerMaxWh?: number;
  /** What the meter says of itself. */
  readonly flags: readonly MeterFlag[];
}

export interface Refusal {
  readonly reason: RejectReason;
  readonly detail: string;
}

/** One item of a payload: the sample, or why it is none; `raw` is what was sent. */
export type Parsed =
  | { readonly sample: Sample; readonly raw: unknown }
  | { readonly refusal: Refusal; readonly raw: unknown };

/** Parts of a topic that a pattern has named. */
export type Captures = Readonly<Record<string, string>>;

/**
 * One way in which readings are published. Pure: what a feed gives depends on topic and payload alone. Sources that
 * spread one reading over several topics will need a memory, and will get a stage of their own before the rules.
 */
export interface Feed {
  readonly name: string;
  /** MQTT topic filters that cover every topic of this feed; what a client of another broker subscribes to. */
  readonly subscriptions: readonly string[];
  /** Undefined: the topic is not of this feed. */
  match(topic: string): Captures | undefined;
  /**
   * `ignored`: a message that belongs to the feed and is no reading (a state, a birth). `nearMs`, when it arrived,
   * only decides which hour is meant where a local time without an offset occurs twice.
   */
  decode(captures: Captures, json: unknown, nearMs?: number): readonly Parsed[] | Refusal | 'ignored';
}
