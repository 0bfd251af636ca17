import { keepDays } from '../../models/fleet/street.js';

export interface MeteredLoadOptions {
  /** The first day, since 1970, for which it is ever asked. */
  readonly firstDay: number;
  readonly stepMinutes: number;
  /** Net power per step as this meter sees it. */
  watts(day: number): Float32Array;
  readonly importWh: number;
}

/** Power and registers of one meter as functions of time. */
export interface MeteredLoad {
  at(atMs: number): { readonly watts: number; readonly importWh: number; readonly exportWh: number };
  /** What was imported by then, whatever the register shows; only differences mean something. */
  countedWh(atMs: number): number;
  dayOf(day: number): CountedDay;
}

const DAY_MS = 86_400_000;

export interface CountedDay {
  /** Where the import register stood at midnight. */
  readonly startWh: number;
  readonly countedW: Float32Array;
  /** Energy since midnight at the beginning of each step and at the end of the last. */
  readonly importWh: Float64Array;
  readonly exportWh: Float64Array;
}

/** Registers count on from day to day; a day that is asked for again is made again, to the same values. */
export function createMeteredLoad(options: MeteredLoadOptions): MeteredLoad {
  const { firstDay, stepMinutes } = options;
  const stepMs = stepMinutes * 60_000;
  /** Registers at each midnight since the first. */
  const midnights = [{ importWh: options.importWh, exportWh: 0 }];
  const counted = keepDays((day) => count(options.watts(day), stepMinutes / 60));

  function atMidnight(day: number): { readonly importWh: number; readonly exportWh: number } {
    for (let next = midnights.length; next <= day - firstDay; next++) {
      const before = midnights[next - 1];
      const { importWh, exportWh } = counted(firstDay + next - 1);
      midnights.push({
        importWh: (before?.importWh ?? 0) + (importWh.at(-1) ?? 0),
        exportWh: (before?.exportWh ?? 0) + (exportWh.at(-1) ?? 0),
      });
    }
    return midnights[Math.max(day - firstDay, 0)] ?? { importWh: 0, exportWh: 0 };
  }

  function at(atMs: number) {
    const day = Math.floor(atMs / DAY_MS);
    const midnight = atMidnight(day);
    const { countedW, importWh, exportWh } = counted(day);
    const inDayMs = atMs - day * DAY_MS;
    const step = Math.floor(inDayMs / stepMs);
    const now = countedW[step] ?? 0;
    const wh = (now * (inDayMs - step * stepMs)) / 3_600_000;
    return {
      watts: now,
      importWh: midnight.importWh + (importWh[step] ?? 0) + Math.max(wh, 0),
      exportWh: midnight.exportWh + (exportWh[step] ?? 0) + Math.max(-wh, 0),
    };
  }

  return {
    at,
    countedWh: (atMs) => at(atMs).importWh,
    dayOf: (day) => ({ ...counted(day), startWh: atMidnight(day).importWh }),
  };
}

function count(watts: Float32Array, stepHours: number): Omit<CountedDay, 'startWh'> {
  const importWh = new Float64Array(watts.length + 1);
  const exportWh = new Float64Array(watts.length + 1);
  for (const [step, value] of watts.entries()) {
    importWh[step + 1] = (importWh[step] ?? 0) + Math.max(value, 0) * stepHours;
    exportWh[step + 1] = (exportWh[step] ?? 0) + Math.max(-value, 0) * stepHours;
  }
  return { countedW: watts, importWh, exportWh };
}

/** Where one meter hangs from a moment on in the place of another: its registers go on from where they stand. */
export function exchanged(before: MeteredLoad, after: MeteredLoad, exchangedMs: number): MeteredLoad {
  const exchangeDay = Math.floor(exchangedMs / DAY_MS);
  /** What the second has to be moved by to go on where the first ended; not before somebody asks. */
  let stepWh: number | undefined;
  return {
    at: (atMs) => (atMs < exchangedMs ? before : after).at(atMs),
    countedWh(atMs) {
      if (atMs < exchangedMs) return before.countedWh(atMs);
      stepWh ??= before.countedWh(exchangedMs) - after.countedWh(exchangedMs);
      return after.countedWh(atMs) + stepWh;
    },
    dayOf(day) {
      if (day !== exchangeDay) return (day < exchangeDay ? before : after).dayOf(day);
      return joined(before.dayOf(day), after.dayOf(day), (exchangedMs - day * DAY_MS) / DAY_MS);
    },
  };
}

/** The day of the one until so much of it has passed, and then that of the other, counted on without a step. */
function joined(first: CountedDay, second: CountedDay, passed: number): CountedDay {
  const step = Math.round(passed * first.countedW.length);
  const countedW = first.countedW.slice();
  countedW.set(second.countedW.subarray(step), step);
  const register = (of: 'importWh' | 'exportWh') =>
    first[of].map((wh, index) =>
      index <= step ? wh : (first[of][step] ?? 0) + (second[of][index] ?? 0) - (second[of][step] ?? 0),
    );
  return { startWh: first.startWh, countedW, importWh: register('importWh'), exportWh: register('exportWh') };
}
