import type { Flag } from '../domain/flags.js';
import { SLOT_MS } from '../domain/slot.js';

/** What one register of one meter is known to stand at. Never changed, only replaced: a batch that fails restores it. */
export interface RegisterState {
  /** The last value accepted, and its moment. */
  readonly wh: number;
  readonly atMs: number;
  /** Another level that the register may have moved to; undefined while nothing contradicts the last value. */
  readonly other?: OtherLevel | undefined;
  /** Where it stood some hours ago, at the same level: what arrives late cannot lie below. */
  readonly trail?: Trail | undefined;
}

interface Point {
  readonly wh: number;
  readonly atMs: number;
}

interface Trail {
  readonly newer: Point;
  readonly older?: Point | undefined;
}

interface OtherLevel {
  readonly wh: number;
  readonly atMs: number;
  readonly readings: number;
  readonly grown: boolean;
}

export interface Limits {
  /** No more can flow through this meter. */
  readonly capW: number;
  /** The register's resolution: it may fall so far without meaning anything. */
  readonly toleranceWh: number;
  /** Where the register begins again at zero. */
  readonly maxWh: number | undefined;
}

export interface Followed {
  readonly state: RegisterState;
  /** Undefined: left out of the reading. */
  readonly wh: number | undefined;
  readonly flag?: Flag;
}

const HOUR_MS = 3_600_000;
/** A meter's own time and the way to the gateway waver by seconds, while the register moved on. */
const JITTER_MS = 10_000;
/** Readings that agree with each other before another level is believed. */
export const CONFIRMING_READINGS = 3;
/** A trail has two points, so that the older one is between one and two of these back. */
const TRAIL_MS = 6 * HOUR_MS;
/** Increments of a meter without history cover at most so long. */
const FIRST_INCREMENT_MS = 86_400_000;

/** The furthest that a register can have moved in this time. */
export const roomWh = (elapsedMs: number, { capW, toleranceWh }: Limits): number =>
  (capW * (elapsedMs + JITTER_MS)) / HOUR_MS + toleranceWh;

/** Judges the next value of a register. A meter that was off for a month may jump by what a month allows. */
export function follow(before: RegisterState | undefined, wh: number, atMs: number, limits: Limits): Followed {
  if (before === undefined) return { state: { wh, atMs }, wh };
  if (atMs < before.atMs) return late(before, wh, atMs, limits);
  const step = wh - before.wh;
  const room = roomWh(atMs - before.atMs, limits);
  if (step >= 0) return step <= room ? { state: moved(before, wh, atMs), wh } : doubt(before, wh, atMs, limits);
  // The sum, and not the difference, of what was sent: 215.7 - 215.6 is more than 0.1 in a double.
  if (before.wh <= (wh + limits.toleranceWh) * (1 + Number.EPSILON * 4)) {
    return { state: moved(before, before.wh, atMs), wh: before.wh, flag: 'register_jitter' };
  }
  if (limits.maxWh !== undefined && before.wh <= limits.maxWh && limits.maxWh - before.wh + wh <= room) {
    return { state: { wh, atMs }, wh, flag: 'register_rollover' };
  }
  return doubt(before, wh, atMs, limits);
}

function moved(before: RegisterState, wh: number, atMs: number): RegisterState {
  const { trail = { newer: { wh: before.wh, atMs: before.atMs } } } = before;
  if (atMs - trail.newer.atMs < TRAIL_MS) return { wh, atMs, trail };
  return { wh, atMs, trail: { newer: { wh: before.wh, atMs: before.atMs }, older: trail.newer } };
}

/** One that arrives after a newer one changes nothing that is known; it only has to fit between. */
function late(state: RegisterState, wh: number, atMs: number, limits: Limits): Followed {
  const rest = state.wh - wh;
  if (rest < 0) return { state, wh: undefined, flag: 'register_back' };
  if (rest > roomWh(state.atMs - atMs, limits)) return { state, wh: undefined, flag: 'register_step' };
  // A register that stands low anyway may fall to zero within what the cap allows: a glitch, and no reading.
  const floor = [state.trail?.newer, state.trail?.older].find((point) => point !== undefined && point.atMs <= atMs);
  if (floor !== undefined && wh < floor.wh - roomWh(0, limits)) return { state, wh: undefined, flag: 'register_back' };
  return { state, wh };
}

/**
 * `x → 0 → x` is a glitch: the value is left out until readings that agree with each other confirm it. One whole slot
 * must lie between the two levels as well, so that no slot takes their difference for energy.
 */
function doubt(before: RegisterState, wh: number, atMs: number, limits: Limits): Followed {
  const other = nextLevel(before.other, wh, atMs, limits);
  const apart = Math.floor(atMs / SLOT_MS) - Math.floor(before.atMs / SLOT_MS) > 1;
  if (other.readings >= CONFIRMING_READINGS && other.grown && apart) {
    return { state: { wh, atMs }, wh, flag: 'register_reset' };
  }
  const flag = wh < before.wh ? 'register_back' : 'register_step';
  return { state: { ...before, other }, wh: undefined, flag };
}

function nextLevel(known: OtherLevel | undefined, wh: number, atMs: number, limits: Limits): OtherLevel {
  const step = known === undefined ? Number.NaN : wh - known.wh;
  if (known === undefined || !(step >= 0 && step <= roomWh(atMs - known.atMs, limits))) {
    return { wh, atMs, readings: 1, grown: false };
  }
  return { wh, atMs, readings: known.readings + 1, grown: known.grown || step > 0 };
}

/** Adds an increment to the sum that stands for the register of a meter which has none. */
export function addIncrement(
  before: RegisterState | undefined,
  deltaWh: number,
  atMs: number,
  limits: Limits,
): Followed {
  const state = before ?? { wh: 0, atMs };
  const elapsedMs = before === undefined ? FIRST_INCREMENT_MS : Math.abs(atMs - before.atMs);
  if (deltaWh > roomWh(elapsedMs, limits)) return { state, wh: undefined, flag: 'register_step' };
  const wh = state.wh + deltaWh;
  return { state: { wh, atMs: Math.max(atMs, state.atMs) }, wh, flag: 'register_summed' };
}
