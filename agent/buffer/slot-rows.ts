import type { Connection } from './buffer-file.js';
import { type Accumulator, emptyAccumulator, type RegisterPoint, type SlotValues } from './slot-accumulator.js';
import { packTimes, unpackTimes } from './slot-times.js';

interface MergeColumns {
  readonly powerCount: number;
  readonly powerSumDw: number;
  readonly importSumDw: number;
  readonly powerMinDw: number | null;
  readonly powerMaxDw: number | null;
  readonly firstRegisterMs: number | null;
  readonly firstRegisterDwh: number | null;
  readonly lastRegisterMs: number | null;
  readonly lastRegisterDwh: number | null;
  readonly times: Uint8Array;
}

type SlotRow = SlotValues & MergeColumns;

export interface StoredState {
  readonly values: SlotValues;
  readonly slot: Accumulator;
}

export interface SlotRows {
  /** The stored slot, ready to be merged with. */
  load(meter: number, slotStartMs: number): StoredState | undefined;
  insert(at: SlotKey, state: StoredState): void;
  /** Revision + 1. */
  update(at: SlotKey, state: StoredState): void;
}

export interface SlotKey {
  readonly meter: number;
  readonly slotStartMs: number;
  readonly changeSeq: number;
}

const VALUE_COLUMNS = {
  energyMwh: 'energy_mwh',
  meanPowerDw: 'mean_power_dw',
  minPowerDw: 'min_power_dw',
  maxPowerDw: 'max_power_dw',
  count: 'count',
  coveragePm: 'coverage_pm',
  minVoltageCv: 'min_voltage_cv',
  maxVoltageCv: 'max_voltage_cv',
  powerCount: 'power_count',
  powerSumDw: 'power_sum_dw',
  importSumDw: 'import_sum_dw',
  powerMinDw: 'power_min_dw',
  powerMaxDw: 'power_max_dw',
  firstRegisterMs: 'first_register_ms',
  firstRegisterDwh: 'first_register_dwh',
  lastRegisterMs: 'last_register_ms',
  lastRegisterDwh: 'last_register_dwh',
  times: 'times',
} as const satisfies Record<keyof SlotRow, string>;

export function openSlotRows(db: Connection): SlotRows {
  const columns = Object.entries(VALUE_COLUMNS);
  const select = db.prepare<[number, number], SlotRow>(
    `select ${columns.map(([name, column]) => `${column} as ${name}`).join(', ')}
     from slot where slot_start_ms = ? and meter = ?`,
  );
  const names = columns.map(([, column]) => column);
  const insert = db.prepare(
    `insert into slot (${names.join(', ')}, change_seq, data_seq, slot_start_ms, meter, revision)
     values (${names.map(() => '?').join(', ')}, ?, ?, ?, ?, 1)`,
  );
  const update = db.prepare(
    `update slot set ${names.map((column) => `${column} = ?`).join(', ')}, change_seq = ?,
       data_seq = ?, revision = revision + 1
     where slot_start_ms = ? and meter = ?`,
  );

  return {
    load(meter, slotStartMs) {
      const row = select.get(slotStartMs, meter);
      return row === undefined ? undefined : { values: row, slot: accumulatorOf(row) };
    },
    insert(at, state) {
      insert.run(parameters(at, state));
    },
    update(at, state) {
      update.run(parameters(at, state));
    },
  };
}

/** In the order of VALUE_COLUMNS; by position, because names cost more than the rest of the insertion. */
const parameters = ({ changeSeq, slotStartMs, meter }: SlotKey, { values, slot }: StoredState) => [
  values.energyMwh,
  values.meanPowerDw,
  values.minPowerDw,
  values.maxPowerDw,
  values.count,
  values.coveragePm,
  values.minVoltageCv,
  values.maxVoltageCv,
  slot.powerCount,
  slot.powerSumDw,
  slot.importSumDw,
  slot.powerMinDw,
  slot.powerMaxDw,
  slot.firstRegister?.atMs ?? null,
  slot.firstRegister?.dwh ?? null,
  slot.lastRegister?.atMs ?? null,
  slot.lastRegister?.dwh ?? null,
  packTimes(slot.times),
  changeSeq,
  changeSeq,
  slotStartMs,
  meter,
];

function accumulatorOf(row: SlotRow): Accumulator {
  return {
    ...emptyAccumulator(),
    times: unpackTimes(row.times),
    powerCount: row.powerCount,
    powerSumDw: row.powerSumDw,
    importSumDw: row.importSumDw,
    powerMinDw: row.powerMinDw,
    powerMaxDw: row.powerMaxDw,
    firstRegister: point(row.firstRegisterMs, row.firstRegisterDwh),
    lastRegister: point(row.lastRegisterMs, row.lastRegisterDwh),
    minVoltageCv: row.minVoltageCv,
    maxVoltageCv: row.maxVoltageCv,
  };
}

const point = (atMs: number | null, dwh: number | null): RegisterPoint | null =>
  atMs === null || dwh === null ? null : { atMs, dwh };
