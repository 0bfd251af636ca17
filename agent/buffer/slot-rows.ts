import type { Connection } from './buffer-file.js';
import { type Accumulator, ESTIMATED, emptyAccumulator, type SlotValues } from './slot-accumulator.js';
import { packRegisters, unpackRegisters } from './slot-registers.js';
import { packTimes, unpackTimes } from './slot-times.js';

interface MergeColumns {
  readonly powerCount: number;
  readonly powerSumDw: number;
  readonly importSumDw: number;
  readonly powerMinDw: number | null;
  readonly powerMaxDw: number | null;
  readonly times: Uint8Array;
  readonly registers: Uint8Array;
}

type SlotRow = SlotValues & MergeColumns;

export interface StoredState {
  readonly values: SlotValues;
  readonly slot: Accumulator;
}

export interface SlotRows {
  /** The stored slot, ready to be merged with. */
  load(meter: number, slotStartMs: number): StoredState | undefined;
  insert(at: SlotKey, state: StoredState, revision: number): void;
  /** Revision + 1. */
  update(at: SlotKey, state: StoredState, isNewToModels: boolean): void;
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
  flags: 'flags',
  powerCount: 'power_count',
  powerSumDw: 'power_sum_dw',
  importSumDw: 'import_sum_dw',
  powerMinDw: 'power_min_dw',
  powerMaxDw: 'power_max_dw',
  times: 'times',
  registers: 'registers',
} as const satisfies Record<keyof SlotRow, string>;

/** Slots in which nothing was heard have nothing for the models. */
const NOT_FOR_MODELS = 0;

export function openSlotRows(db: Connection): SlotRows {
  const columns = Object.entries(VALUE_COLUMNS);
  const select = db.prepare<[number, number], SlotRow>(
    `select ${columns.map(([name, column]) => `${column} as ${name}`).join(', ')}
     from slot where slot_start_ms = ? and meter = ?`,
  );
  const names = columns.map(([, column]) => column);
  const insert = db.prepare(
    `insert into slot (${names.join(', ')}, change_seq, data_seq, slot_start_ms, meter, revision)
     values (${names.map(() => '?').join(', ')}, ?, ?, ?, ?, ?)`,
  );
  // What the models wait for stays as it is: they find it by its two numbers being equal.
  const update = db.prepare(
    `update slot set ${names.map((column) => `${column} = ?`).join(', ')}, change_seq = ?,
       data_seq = iif(? or change_seq = data_seq, ?, data_seq), revision = revision + 1
     where slot_start_ms = ? and meter = ?`,
  );

  return {
    load(meter, slotStartMs) {
      const row = select.get(slotStartMs, meter);
      return row === undefined ? undefined : { values: row, slot: accumulatorOf(row) };
    },
    insert({ changeSeq, slotStartMs, meter }, state, revision) {
      const dataSeq = state.values.count === 0 ? NOT_FOR_MODELS : changeSeq;
      insert.run([...parameters(state), changeSeq, dataSeq, slotStartMs, meter, revision]);
    },
    update({ changeSeq, slotStartMs, meter }, state, isNewToModels) {
      update.run([...parameters(state), changeSeq, isNewToModels ? 1 : 0, changeSeq, slotStartMs, meter]);
    },
  };
}

/** In the order of VALUE_COLUMNS; by position, because names cost more than the rest of the insertion. */
const parameters = ({ values, slot }: StoredState) => [
  values.energyMwh,
  values.meanPowerDw,
  values.minPowerDw,
  values.maxPowerDw,
  values.count,
  values.coveragePm,
  values.minVoltageCv,
  values.maxVoltageCv,
  values.flags,
  slot.powerCount,
  slot.powerSumDw,
  slot.importSumDw,
  slot.powerMinDw,
  slot.powerMaxDw,
  packTimes(slot.times),
  packRegisters(slot.times, slot.registers),
];

function accumulatorOf(row: SlotRow): Accumulator {
  const times = unpackTimes(row.times);
  return {
    ...emptyAccumulator(),
    times,
    registers: unpackRegisters(times, row.registers),
    powerCount: row.powerCount,
    powerSumDw: row.powerSumDw,
    importSumDw: row.importSumDw,
    powerMinDw: row.powerMinDw,
    powerMaxDw: row.powerMaxDw,
    minVoltageCv: row.minVoltageCv,
    maxVoltageCv: row.maxVoltageCv,
    // That of the slot itself is found anew each time.
    flags: row.flags & ~ESTIMATED,
  };
}
