/** What the publishing process is told, and what it says afterwards. */
export interface Order {
  readonly port: number;
  readonly clients: number;
  /** Spread over the clients. */
  readonly meters: number;
  readonly pace: Pace;
}

export type Pace =
  /** As fast as it is acknowledged, so many under way for each client. */
  | { readonly kind: 'flood'; readonly readings: number; readonly inFlight: number }
  /** At random moments, as meters do that know nothing of each other. */
  | { readonly kind: 'steady'; readonly perSecond: number; readonly forMs: number }
  /** Of every meter one message with its readings of so many slots before now. */
  | { readonly kind: 'past'; readonly slots: number };

export interface Outcome {
  readonly readings: number;
  /** From the first PUBLISH to the last PUBACK. */
  readonly elapsedMs: number;
  /** From each PUBLISH to its PUBACK; of a flood it says how long the queue was. */
  readonly ackMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export type Answer = { readonly outcome: Outcome } | { readonly failure: string };
