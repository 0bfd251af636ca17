import type { MeterId } from '../../domain/brand.js';
import { DAY_MS } from '../../domain/slot.js';
import type { MeasuredColumn, MeasuredSlots } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import type { DayRows, StoredDay } from '../day-rows.js';
import { NULL } from '../slot-column.js';
import type { MeterKeys } from './meter-keys.js';
import { OF_METER, openSlotSpan, slotTimes } from './open-slots.js';

interface Column {
  readonly sql: string;
  readonly isNullable?: true;
}

/** In the order in which days are packed; none of them stands behind the flags. */
const COLUMNS: Readonly<Record<MeasuredColumn, Column>> = {
  meanPowerDw: { sql: 'mean_power_dw' },
  count: { sql: 'count' },
  coveragePm: { sql: 'coverage_pm' },
  minPowerDw: { sql: 'min_power_dw' },
  maxPowerDw: { sql: 'max_power_dw' },
  energyMwh: { sql: 'energy_mwh' },
  minVoltageCv: { sql: 'min_voltage_cv', isNullable: true },
  maxVoltageCv: { sql: 'max_voltage_cv', isNullable: true },
  flags: { sql: 'flags' },
};
const LAST = 'flags';
type Mutable = Record<MeasuredColumn, Float64Array>;
const NAMES = Object.keys(COLUMNS) as MeasuredColumn[];

interface Parts {
  readonly slotMs: number;
  readonly days: DayRows;
  readonly meterKeys: MeterKeys;
}

/** A year of one meter: an object for each of its slots would take three times as long as unpacking what they say. */
export function openMeasuredReads(db: Connection, { slotMs, days, meterKeys }: Parts) {
  const { slotsPerDay } = days.shape;
  const open = openSlotSpan(db, slotMs);
  const ofMeter = db
    .prepare<[number, number, number], readonly [slotStartMs: number, ...values: (number | null)[]]>(
      `${slotTimes(slotMs)} select s.slot_start_ms, ${NAMES.map((name) => COLUMNS[name].sql)} ${OF_METER}`,
    )
    .raw();

  const measuredOf = db.transaction((meter: MeterId, fromDay: number, toDay: number): MeasuredSlots => {
    const length = Math.max(0, toDay - fromDay) * slotsPerDay;
    const measured = Object.fromEntries(NAMES.map((name) => [name, new Float64Array(length)])) as Mutable;
    const key = meterKeys(meter);
    for (let day = fromDay; day < toDay; day += 1) {
      const stored = key === undefined ? undefined : days.load(key, day, LAST);
      putDay(measured, stored, { from: (day - fromDay) * slotsPerDay, slots: slotsPerDay });
    }
    if (key === undefined) return measured;
    // What is open again stands over what was packed.
    const [fromMs, toMs] = open.between(fromDay * DAY_MS, toDay * DAY_MS);
    for (const [slotStartMs, ...values] of fromMs < toMs ? ofMeter.all(fromMs, toMs, key) : []) {
      const at = (slotStartMs - fromDay * DAY_MS) / slotMs;
      NAMES.forEach((name, column) => {
        measured[name][at] = values[column] ?? Number.NaN;
      });
    }
    return measured;
  });

  return {
    measuredOf: (meter: MeterId, fromDay: number, toDay: number) => measuredOf(meter, fromDay, toDay),
  };
}

function putDay(
  measured: MeasuredSlots,
  stored: StoredDay | undefined,
  { from, slots }: Record<'from' | 'slots', number>,
): void {
  for (const name of NAMES) {
    const out = measured[name];
    const isWhole = stored?.places.length === slots;
    if (!isWhole) out.fill(Number.NaN, from, from + slots);
    if (stored === undefined) continue;
    const values = stored.columns[name];
    if (isWhole) out.set(values, from);
    else for (const place of stored.places) out[from + place] = values[place] ?? Number.NaN;
    if (COLUMNS[name].isNullable === true) forgetNull(out, from, from + slots);
  }
}

function forgetNull(values: Float64Array, from: number, to: number): void {
  for (let index = from; index < to; index += 1) if (values[index] === NULL) values[index] = Number.NaN;
}
