import type { EpochMs, MeterId } from './brand.js';

/** How long a slot may be; a buffer file keeps the width that it was made with. */
export const SLOT_WIDTHS_MINUTES = [5, 15, 30, 60] as const;
export type SlotMinutes = (typeof SLOT_WIDTHS_MINUTES)[number];

/** The width where none is configured, and of data without a word about it. */
export const SLOT_MINUTES = 5 satisfies SlotMinutes;
export const SLOT_MS = SLOT_MINUTES * 60_000;
/** The window both models look at: the last day in slots of five minutes. */
export const WINDOW_SLOTS = 288;

export const DAY_MS = 86_400_000;

export const isSlotWidth = (minutes: number): minutes is SlotMinutes =>
  (SLOT_WIDTHS_MINUTES as readonly number[]).includes(minutes);

/** Some aligned minutes of one meter, five unless configured otherwise. */
export interface Slot {
  readonly meter: MeterId;
  readonly slotStartMs: EpochMs;
  readonly energyWh: number;
  readonly meanPowerW: number;
  readonly minPowerW: number;
  readonly maxPowerW: number;
  readonly count: number;
  /** Share of the slot that readings speak for, 0..1. */
  readonly coverage: number;
  readonly minVoltageV?: number;
  readonly maxVoltageV?: number;
  /** Grows by one each time a late reading changes a closed slot. */
  readonly revision: number;
}

/** Scores that the theft model gives to a slot, kept for every slot and not only for the alarming. */
export interface SlotScore {
  readonly meter: MeterId;
  readonly slotStartMs: EpochMs;
  /** Calibrated, 0..1; the threshold means the declared false-alarm rate. */
  readonly score: number;
  /** 2^(-path/c) as the forest gives it. */
  readonly rawScore: number;
  readonly modelVersion: string;
}

export const slotStart = (atMs: EpochMs, slotMs: number = SLOT_MS): EpochMs =>
  (Math.floor(atMs / slotMs) * slotMs) as EpochMs;
