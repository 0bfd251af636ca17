/** A file of the buffer that was found damaged or missing, and what became of what was in it. */
export interface RecordedDamage {
  readonly noticedAtMs: number;
  readonly cause: string;
  /** Under which name it is kept beside the buffer; null when nothing was there to keep. */
  readonly file: string | null;
  readonly state: 'waiting' | 'salvaged' | 'given_up' | 'nothing';
  /** Rows stored again, by table. */
  readonly restored: Readonly<Record<string, number>>;
  readonly lost: readonly LostRange[];
  /** What a person should know beside the numbers. */
  readonly notes: readonly string[];
  /** The file was in the way of newer ones, and is deleted. */
  readonly isRemoved: boolean;
}

/** A gap in a table of the damaged file, between two keys that could be read. */
export interface LostRange {
  readonly table: string;
  /** The last key before, and the first after; null at the beginning and at the end of the table. */
  readonly after: readonly unknown[] | null;
  readonly before: readonly unknown[] | null;
  /** At most so many rows, where keys can be counted. */
  readonly rows: number | null;
  /** Of the rows on both sides, where they have a time. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}
