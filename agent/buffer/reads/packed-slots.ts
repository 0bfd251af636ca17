import { changeSeq, epochMs, type MeterId } from '../../domain/brand.js';
import { DAY_MS } from '../../domain/slot.js';
import type { StoredSlot } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import type { DayRows, StoredDay } from '../day-rows.js';
import { NULL } from '../slot-column.js';

export interface PackedSlots {
  /** Oldest first. */
  between(meter: { readonly meter: MeterId; readonly key: number }, fromMs: number, toMs: number): StoredSlot[];
  slotsOfDay(meter: { readonly meter: MeterId; readonly key: number }, day: number): StoredSlot[];
  /** Mean power in watts by slot of the day, where anything was heard. */
  load(meter: number, day: number, put: (place: number, meanPowerW: number) => void): void;
}

/** From the columns of packed days to rows as all others have them. */
export function createPackedSlots(db: Connection, days: DayRows): PackedSlots {
  const { slotMs } = days.shape;
  const versions = db.prepare<[], { id: number; version: string }>('select id, version from model');

  const models = (): ReadonlyMap<number, string> => new Map(versions.all().map(({ id, version }) => [id, version]));

  function append(out: StoredSlot[], stored: StoredDay, from: From): void {
    const { columns, places, firstChange } = stored;
    const { meanPowerDw, minPowerDw, maxPowerDw, count, coveragePm, energyMwh, flags, revision } = columns;
    const { minVoltageCv, maxVoltageCv, model, rawScoreE4, scoreE4 } = columns;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] ?? 0;
      const slotStartMs = from.dayMs + place * slotMs;
      if (slotStartMs < from.fromMs || slotStartMs >= from.toMs) continue;
      out.push({
        changeSeq: changeSeq(firstChange + index),
        revision: whole(revision, place),
        meter: from.meter,
        slotStartMs: epochMs(slotStartMs),
        slotMinutes: slotMs / 60_000,
        energyMwh: large(energyMwh, place),
        meanPowerDw: whole(meanPowerDw, place),
        minPowerDw: whole(minPowerDw, place),
        maxPowerDw: whole(maxPowerDw, place),
        count: whole(count, place),
        coveragePm: whole(coveragePm, place),
        minVoltageCv: orNull(minVoltageCv, place),
        maxVoltageCv: orNull(maxVoltageCv, place),
        flags: whole(flags, place),
        scoreE4: orNull(scoreE4, place),
        rawScoreE4: orNull(rawScoreE4, place),
        modelVersion: from.models.get(whole(model, place)) ?? null,
      });
    }
  }

  return {
    between({ meter, key }, fromMs, toMs) {
      const range = days.range();
      const out: StoredSlot[] = [];
      if (range === undefined) return out;
      const known = models();
      const last = Math.min(Math.ceil(toMs / DAY_MS) - 1, range.last);
      for (let day = Math.max(Math.floor(fromMs / DAY_MS), range.first); day <= last; day += 1) {
        const stored = days.load(key, day);
        if (stored !== undefined) append(out, stored, { meter, dayMs: day * DAY_MS, fromMs, toMs, models: known });
      }
      return out;
    },
    slotsOfDay({ meter, key }, day) {
      const out: StoredSlot[] = [];
      const stored = days.load(key, day);
      const dayMs = day * DAY_MS;
      if (stored !== undefined) {
        append(out, stored, { meter, dayMs, fromMs: dayMs, toMs: dayMs + DAY_MS, models: models() });
      }
      return out;
    },
    load(meter, day, put) {
      const stored = days.load(meter, day, 'count');
      if (stored === undefined) return;
      const { meanPowerDw, count } = stored.columns;
      for (const place of stored.places) {
        if (count[place] !== 0) put(place, (meanPowerDw[place] ?? 0) / 10);
      }
    },
  };
}

interface From {
  readonly meter: MeterId;
  readonly dayMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly models: ReadonlyMap<number, string>;
}

/** As a whole number of the processor: one of floating point would be an object of its own in each field of each slot. */
const whole = (column: Float64Array, place: number): number => (column[place] ?? 0) | 0;

function orNull(column: Float64Array, place: number): number | null {
  const value = whole(column, place);
  return value === NULL ? null : value;
}

function large(column: Float64Array, place: number): number {
  const value = column[place] ?? 0;
  const small = value | 0;
  return small === value ? small : value;
}
