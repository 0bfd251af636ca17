export interface Contribution {
  readonly feature: string;
  readonly share: number;
}

export interface TheftScore {
  /** 2^(-path/c) as the forest gives it. */
  readonly raw: number;
  /** Calibrated, 0..1; 0.6 stands for the declared false-alarm rate. */
  readonly score: number;
  /** Strongest first; shares add up to at most 1. */
  readonly contributions: readonly Contribution[];
  readonly slotMinutes: number;
  /** Energy of the newest slot. */
  readonly expectedWh: number;
  readonly actualWh: number;
}
