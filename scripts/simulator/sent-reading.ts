/** What a meter shows at one moment, with the names of wattwarden's own format; the other formats are made from it. */
export interface SentReading {
  readonly ts: number;
  readonly power_w: number;
  readonly import_wh: number;
  /** Only of those that can feed in. */
  readonly export_wh?: number;
  readonly voltage_v: number;
  readonly current_a: number;
}

/** What a meter says of itself, where its format has words for it. */
export type Condition = 'tamper' | 'reversed';

export interface Shown {
  readonly reading: SentReading;
  readonly conditions: readonly Condition[];
}
