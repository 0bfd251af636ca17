import { type FinishedDay, openDayImport } from '../../agent/buffer/day-import.js';
import type { SlotValues } from '../../agent/buffer/slot-accumulator.js';
import { NULL } from '../../agent/buffer/slot-column.js';
import { flagBits } from '../../agent/domain/flags.js';
import { DAY_MS, type SlotMinutes } from '../../agent/domain/slot.js';
import type { SimulatedMeter } from './fleet.js';
import { slotsOfBreak } from './register-break.js';

export interface IntoBuffer {
  readonly path: string;
  readonly meters: readonly SimulatedMeter[];
  readonly slotMinutes: SlotMinutes;
  /** Midnights, UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly signal: AbortSignal;
  onProgress(message: string): void;
}

/** What the meters would have sent. */
export const READING_EVERY_S = 60;
const READING_EVERY_MS = READING_EVERY_S * 1_000;
const MINUTES_OF_DAY = 1_440;
const FULL_PM = 1_000;

/** The slots that a gateway would have after meters had sent a reading every minute and none was lost. */
export async function writeIntoBuffer({ path, meters, slotMinutes, fromMs, toMs, signal, onProgress }: IntoBuffer) {
  const days = openDayImport(path, slotMinutes);
  const makers = meters.map((meter) => createDayMaker(meter, slotMinutes, toMs));
  let written = 0;
  try {
    days.register(meters.map(({ id, kind, feeder }) => ({ id, kind, ...(feeder === undefined ? {} : { feeder }) })));
    for (let dayStartMs = fromMs; dayStartMs < toMs && !signal.aborted; dayStartMs += DAY_MS) {
      days.write(makers.map((make) => make(dayStartMs)));
      written += meters.length;
      onProgress(`${new Date(dayStartMs).toISOString().slice(0, 10)}: ${meters.length} days`);
      // A signal must get its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    days.close();
  }
  return { days: written };
}

/** The days of one meter, to be asked for in order. */
function createDayMaker(meter: SimulatedMeter, slotMinutes: SlotMinutes, toMs: number) {
  const { registerBreakMs: breakMs } = meter;
  const slotMs = slotMinutes * 60_000;
  let broken: ReadonlyMap<number, SlotValues> | undefined;
  return (dayStartMs: number): FinishedDay => {
    const day = finishedDay(meter, dayStartMs, slotMinutes);
    const dayEndMs = dayStartMs + DAY_MS;
    if (breakMs === undefined || breakMs > dayEndMs) return day;
    broken ??= slotsOfBreak({ meter, breakMs, slotMs, readingEveryMs: READING_EVERY_MS, toMs });
    for (let slot = 0; slot < DAY_MS / slotMs; slot++) {
      const values = broken.get(dayStartMs + slot * slotMs);
      if (values !== undefined) put(day.columns, slot, values);
    }
    return { ...day, registerDwh: Math.round(10 * meter.at(dayEndMs).import_wh) };
  };
}

function put(columns: FinishedDay['columns'], slot: number, values: SlotValues): void {
  for (const name of Object.keys(columns) as (keyof typeof columns)[]) columns[name][slot] = values[name] ?? NULL;
}

function finishedDay(meter: SimulatedMeter, dayStartMs: number, slotMinutes: SlotMinutes): FinishedDay {
  const { countedW, importWh, startWh } = meter.dayOf(dayStartMs / DAY_MS);
  const slots = MINUTES_OF_DAY / slotMinutes;
  const perSlot = countedW.length / slots;
  const columns = emptyColumns(slots);
  // Rounded where it stands and not how far it moved, so that slots add up to the register.
  let standMwh = Math.round(startWh * 1_000);
  for (let slot = 0; slot < slots; slot++) {
    let [sum, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let step = slot * perSlot; step < (slot + 1) * perSlot; step++) {
      const watts = countedW[step] ?? 0;
      sum += watts;
      if (watts < least) least = watts;
      if (watts > most) most = watts;
    }
    const endMwh = Math.round((startWh + (importWh[(slot + 1) * perSlot] ?? 0)) * 1_000);
    const fromMs = dayStartMs + slot * slotMinutes * 60_000;
    const middleMs = fromMs + slotMinutes * 30_000;
    columns.meanPowerDw[slot] = Math.round((10 * sum) / perSlot);
    columns.minPowerDw[slot] = Math.round(10 * least);
    columns.maxPowerDw[slot] = Math.round(10 * most);
    columns.energyMwh[slot] = endMwh - standMwh;
    columns.flags[slot] = flagsWithin(meter, fromMs, fromMs + slotMinutes * 60_000);
    columns.minVoltageCv[slot] = tenths(meter.voltageAt(middleMs, most));
    columns.maxVoltageCv[slot] = tenths(meter.voltageAt(middleMs, least));
    standMwh = endMwh;
  }
  columns.count.fill((slotMinutes * 60) / READING_EVERY_S);
  columns.coveragePm.fill(FULL_PM);
  return { meter: meter.id, dayStartMs, registerDwh: Math.round(standMwh / 100), columns };
}

/** What a meter says of itself it goes on saying: the first reading and the last have all of it. */
const flagsWithin = (meter: SimulatedMeter, fromMs: number, toMs: number): number =>
  flagBits(meter.conditions(fromMs)) | flagBits(meter.conditions(toMs - READING_EVERY_MS));

/** Meters say their voltage in tenths of a volt. */
const tenths = (volts: number): number => 10 * Math.round(10 * volts);

const emptyColumns = (slots: number): FinishedDay['columns'] => ({
  meanPowerDw: new Float64Array(slots),
  minPowerDw: new Float64Array(slots),
  maxPowerDw: new Float64Array(slots),
  energyMwh: new Float64Array(slots),
  count: new Float64Array(slots),
  coveragePm: new Float64Array(slots),
  flags: new Float64Array(slots),
  minVoltageCv: new Float64Array(slots),
  maxVoltageCv: new Float64Array(slots),
});
