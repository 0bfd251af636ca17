/** Units stand last in the names: `embedded_rps_1`, `ack_p99_ms_100rps`. */
export interface Figures {
  readonly metrics: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, number>>;
}

export interface Measured extends Figures {
  /** What was left out and why, for people. */
  readonly notes?: readonly string[];
}

/** `tiny` only shows that a bench works, within seconds; `quick` takes less than a minute. */
export type Size = 'tiny' | 'quick' | 'full';

export interface Setting {
  readonly size: Size;
  /** An empty directory for files whose bytes are counted; removed afterwards. */
  readonly dir: string;
  /** What is going on, for people. */
  say(text: string): void;
}

export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Measures its baselines in the same run, repeats, and gives medians. */
export interface Bench {
  readonly about: string;
  /** By the name of a metric or ratio. */
  readonly goals: Readonly<Record<string, Goal>>;
  measure(setting: Setting): Promise<Measured>;
}
