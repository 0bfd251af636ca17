import type { StreamName, Streams } from '../../agent/domain/stored.js';

/** `time` crosses as milliseconds since 1970 and is kept as timestamptz. */
export type WireType = 'bigint' | 'integer' | 'smallint' | 'text' | 'bytea' | 'jsonb' | 'time';

export interface Column<Field extends string = string> {
  readonly field: Field;
  readonly name: string;
  readonly type: WireType;
}

export interface StreamContract<Field extends string = string> {
  /** In the order of the function's arguments. */
  readonly columns: readonly Column<Field>[];
  /** What counts positions in the gateway's log. */
  readonly position: string;
  /** With the gateway, the primary key. */
  readonly key: readonly [meter: string, time: string];
  /** `first`: the lowest position stands. `revision`: the highest revision stands. */
  readonly wins: 'first' | 'revision';
}

const column = <Field extends string>(field: Field, name: string, type: WireType): Column<Field> => ({
  field,
  name,
  type,
});

const reading = [
  column('seq', 'seq', 'bigint'),
  column('meter', 'meter', 'text'),
  column('takenAtMs', 'taken_at', 'time'),
  column('timeSource', 'time_source', 'text'),
  column('receivedAtMs', 'received_at', 'time'),
  column('powerDw', 'power_dw', 'bigint'),
  column('importDwh', 'import_dwh', 'bigint'),
  column('exportDwh', 'export_dwh', 'bigint'),
  column('voltageCv', 'voltage_cv', 'integer'),
  column('currentMa', 'current_ma', 'integer'),
  column('powerFactorPm', 'power_factor_pm', 'smallint'),
  column('frequencyChz', 'frequency_chz', 'smallint'),
  column('flags', 'flags', 'integer'),
] as const;

const changing = [
  column('changeSeq', 'change_seq', 'bigint'),
  column('revision', 'revision', 'integer'),
  column('meter', 'meter', 'text'),
] as const;

const slot = [
  ...changing,
  column('slotStartMs', 'slot_start', 'time'),
  column('slotMinutes', 'slot_minutes', 'smallint'),
  column('energyMwh', 'energy_mwh', 'bigint'),
  column('meanPowerDw', 'mean_power_dw', 'bigint'),
  column('minPowerDw', 'min_power_dw', 'bigint'),
  column('maxPowerDw', 'max_power_dw', 'bigint'),
  column('count', 'count', 'integer'),
  column('coveragePm', 'coverage_pm', 'smallint'),
  column('minVoltageCv', 'min_voltage_cv', 'integer'),
  column('maxVoltageCv', 'max_voltage_cv', 'integer'),
  column('flags', 'flags', 'integer'),
  column('scoreE4', 'score_e4', 'smallint'),
  column('rawScoreE4', 'raw_score_e4', 'smallint'),
  column('modelVersion', 'model_version', 'text'),
] as const;

const forecast = [
  ...changing,
  column('issuedSlotMs', 'issued_slot', 'time'),
  column('modelVersion', 'model_version', 'text'),
  column('packed', 'packed', 'bytea'),
] as const;

const anomaly = [
  ...changing,
  column('slotStartMs', 'slot_start', 'time'),
  column('scoreE4', 'score_e4', 'smallint'),
  column('rawScoreE4', 'raw_score_e4', 'smallint'),
  column('type', 'type', 'text'),
  column('expectedMwh', 'expected_mwh', 'bigint'),
  column('actualMwh', 'actual_mwh', 'bigint'),
  column('contributions', 'contributions', 'jsonb'),
  column('circumstances', 'circumstances', 'jsonb'),
  column('sentence', 'sentence', 'text'),
  column('modelVersion', 'model_version', 'text'),
] as const;

/** What crosses the wire, once: push encodes by it, and the centre's functions are made from it. */
export const STREAM_CONTRACT = {
  reading: { columns: reading, position: 'seq', key: ['meter', 'taken_at'], wins: 'first' },
  slot: { columns: slot, position: 'change_seq', key: ['meter', 'slot_start'], wins: 'revision' },
  forecast: { columns: forecast, position: 'change_seq', key: ['meter', 'issued_slot'], wins: 'revision' },
  anomaly: { columns: anomaly, position: 'change_seq', key: ['meter', 'slot_start'], wins: 'revision' },
} as const satisfies { readonly [S in StreamName]: StreamContract<keyof Streams[S] & string> };

type Carried<S extends StreamName> = (typeof STREAM_CONTRACT)[S]['columns'][number]['field'];
type Forgotten = { [S in StreamName]: Exclude<keyof Streams[S], Carried<S>> }[StreamName];
/** Does not compile when a field of a stored row is not carried. */
const nothingForgotten: [Forgotten] extends [never] ? true : Forgotten = true;
void nothingForgotten;

export const wireType = (type: WireType): string => (type === 'time' ? 'bigint' : type);
