/**
 * What the API answers, as the page reads it. Declarations only, so that the page's build, which knows a browser and
 * no Node, can take them as they are. Times are milliseconds since 1970 UTC; null means not reported or not known.
 */

export interface Problem {
  readonly code: string;
  readonly message: string;
}

export type CheckStatus = 'ok' | 'degraded' | 'failing';

export interface Check {
  readonly status: CheckStatus;
  /** One sentence. */
  readonly detail: string;
}

export interface Health {
  readonly status: CheckStatus;
  readonly checks: {
    readonly main: Check;
    readonly buffer: Check;
    readonly clock: Check;
    readonly disk: Check;
    readonly meters: Check;
    readonly centre: Check;
    readonly models: Check;
  };
}

export interface Overview {
  readonly gateway: string;
  readonly nowMs: number;
  readonly startedAtMs: number | null;
  /** Grow when there is a new reading, or a new slot, forecast or anomaly. */
  readonly head: { readonly seq: number; readonly changeSeq: number };
  readonly health: Health;
  readonly readings: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  /** Rows that the centre does not have yet; none while nothing is to be sent. */
  readonly backlog: {
    readonly reading: number;
    readonly slot: number;
    readonly forecast: number;
    readonly anomaly: number;
  };
  readonly meters: { readonly known: number; readonly silent: number };
  /** `by`: what the time rests on; null while it is not known, and then `why`. */
  readonly clock: {
    readonly by: string | null;
    readonly why: string | null;
    /** Readings that wait for the time to become known. */
    readonly held: number;
    /** How far the clock of the machine is ahead of the gateway's. */
    readonly machineAheadMs: number;
  } | null;
  /** Null when the gateway does not answer; within it, what is not known yet. */
  readonly disk: {
    readonly usableBytes: number | null;
    readonly growthPerDay: number | null;
    readonly autonomyDays: number | null;
    readonly writtenPerDay: number | null;
    readonly cardLifeDays: number | null;
    readonly commitWindowMs: number;
  } | null;
  readonly connections: number | null;
  readonly link: { readonly state: 'off' | 'connected' | 'disconnected'; readonly lastSuccessMs: number | null } | null;
  readonly bundle: { readonly state: 'active' | 'refused'; readonly version: string; readonly detail: string } | null;
}

/** `waiting`: nothing yet, and not for long enough to call it silent. */
export type MeterState = 'reporting' | 'silent' | 'waiting';

export interface MeterRow {
  readonly id: string;
  readonly kind: 'customer' | 'feeder';
  readonly feeder: string | null;
  readonly ratedPowerW: number | null;
  readonly state: MeterState;
  readonly silentSinceMs: number | null;
  /** As configured or learned; null while it is not known. */
  readonly expectedEveryMs: number | null;
  readonly last: ReadingRow | null;
}

export interface MeterList {
  readonly known: number;
  /** How many the filter leaves; `meters` holds the first of them. */
  readonly matched: number;
  readonly meters: readonly MeterRow[];
}

export interface Sparklines {
  readonly fromMs: number;
  readonly stepMs: number;
  /** Mean power of each step, by meter. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

/** One UTC day; null among the days where nothing is known of it. */
export interface DayRow {
  readonly energyWh: number;
  /** Of it in slots with a gap: exact for the gap as a whole, spread over its slots. */
  readonly estimatedWh: number;
  readonly maxW: number;
  readonly coverage: number;
}

export interface Days {
  readonly fromMs: number;
  readonly days: readonly (DayRow | null)[];
}

export interface ReadingRow {
  readonly seq: number;
  readonly meter: string;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly timeSource: 'meter' | 'gateway';
  readonly powerW: number | null;
  readonly importWh: number | null;
  readonly exportWh: number | null;
  readonly voltageV: number | null;
  readonly currentA: number | null;
  readonly powerFactor: number | null;
  readonly frequencyHz: number | null;
  /** Names of agent/domain/flags.ts. */
  readonly flags: readonly string[];
}

export interface ReadingList {
  readonly readings: readonly ReadingRow[];
}

export interface SlotRow {
  readonly startMs: number;
  readonly meanW: number;
  readonly minW: number;
  readonly maxW: number;
  readonly energyWh: number;
  readonly count: number;
  readonly coverage: number;
  readonly score: number | null;
}

export interface ForecastSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly lowW: number;
  readonly medianW: number;
  readonly highW: number;
}

export interface AnomalyRow {
  readonly meter: string;
  readonly startMs: number;
  readonly score: number;
  readonly type: 'high_consumption' | 'low_consumption' | 'unusual_pattern';
  readonly expectedWh: number;
  readonly actualWh: number;
  readonly sentence: string;
  readonly modelVersion: string;
}

export interface AnomalyList {
  readonly anomalies: readonly AnomalyRow[];
}

export interface Load {
  readonly meter: MeterRow;
  readonly fromMs: number;
  readonly toMs: number;
  readonly slotMs: number;
  readonly slots: readonly SlotRow[];
  readonly forecast: {
    readonly issuedMs: number;
    readonly modelVersion: string;
    readonly spans: readonly ForecastSpan[];
  } | null;
  readonly anomalies: readonly AnomalyRow[];
}
