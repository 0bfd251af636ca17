import type { Place } from '../window/calendar.js';
import type { SlotWindow } from '../window/slot-windows.js';

/**
 * What is known of one meter when it is forecast. Whatever is absent, or NaN, is missing: the network was trained
 * without it too.
 */
export interface History {
  readonly window: SlotWindow;
  /** Mean power of the slots before the window, oldest first: as many as `pastSlots` says. */
  readonly past?: Float32Array | undefined;
  /** Median, and median distance from it, of the last 28 days, by slot of the UTC day. */
  readonly profileMedian?: Float32Array | undefined;
  readonly profileSpread?: Float32Array | undefined;
  readonly weather?: Weather | undefined;
  /** Where the meter stands, if not where the encoder's others do: series of several places are trained on together. */
  readonly place?: Place | undefined;
}

/** Means of the outdoor temperature; that of the next day is a forecast itself. */
export interface Weather {
  readonly lastDayC: number;
  readonly nextDayC: number;
}
