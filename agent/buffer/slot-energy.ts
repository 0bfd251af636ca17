import { DAY_MS } from '../domain/slot.js';
import { pointsOf, type RegisterPoint, type RegisterPoints, replacePoint } from './register-points.js';

/** The nearest reading of the register on one side of a slot. */
export interface Neighbour extends RegisterPoint {
  /** Its slot is packed: what the register counted up to it is counted there for good. */
  readonly sealed: boolean;
}

export interface RegisterEnergy {
  readonly dwh: number;
  /** Time of the slot for which the register speaks, and what it says of that time alone. */
  readonly knownMs: number;
  readonly knownDwh: number;
  /** Time between two readings of the register that tell nothing of what flowed. */
  readonly brokenMs: number;
  readonly estimated: boolean;
}

/** Beyond this mean power a step of the register is a glitch or another register, not energy: 10 MW. */
const MAX_REGISTER_POWER_DW = 100_000_000;
const SHORTEST_MS = 300_000;
const MS_PER_HOUR = 3_600_000;

/**
 * What the register counted from one reading to the next; null when it does not tell. A register that fell by more than
 * half of its range has passed its largest value; any other that fell was reset.
 */
export function stepOf(from: RegisterPoint, to: RegisterPoint, maxDwh: number | undefined): number | null {
  if (to.anew) return null;
  const fell = from.dwh - to.dwh;
  const rolled = maxDwh !== undefined && fell > maxDwh / 2 && from.dwh <= maxDwh;
  const step = rolled ? maxDwh - fell : -fell;
  const most = (MAX_REGISTER_POWER_DW * Math.max(SHORTEST_MS, to.atMs - from.atMs)) / MS_PER_HOUR;
  return step >= 0 && step <= most ? step : null;
}

/**
 * A gap that reaches into a packed day was given to its slots evenly. A reading from the rest of the gap that comes
 * later may show that less had flowed by then: nothing more is counted until the register has passed what is counted.
 */
export function raise(points: RegisterPoints, before: Neighbour | null, after: Neighbour | null): void {
  if (before === null || !(before.sealed || before.raised) || after === null || after.dwh < before.dwh) return;
  let level = before.dwh;
  for (const [index, point] of pointsOf(points).entries()) {
    if (point.anew || point.dwh >= level) level = point.dwh;
    else replacePoint(points, index, { ...point, dwh: level, raised: true });
  }
}

/** A gap so long is not spread over its slots: its energy stands where the register is heard again. */
export const isFar = (from: RegisterPoint, to: RegisterPoint): boolean => to.atMs - from.atMs > DAY_MS;

interface Span {
  readonly slotMs: number;
  readonly before: Neighbour | null;
  readonly after: Neighbour | null;
  readonly maxDwh: number | undefined;
  /** Two readings further apart than this leave open when between them the energy flowed. */
  readonly gapMs: number;
}

/**
 * The register between two readings is taken to rise evenly, in whole tenths of a watt-hour; both slots at an edge
 * compute the same share. So the energies of any slots in a row add up to what the register counted meanwhile.
 */
export function registerEnergy(points: Readonly<RegisterPoints>, span: Span): RegisterEnergy {
  const { slotMs, before, after, maxDwh, gapMs } = span;
  const all = [...(before === null ? [] : [before]), ...pointsOf(points), ...(after === null ? [] : [after])];
  const sum = { dwh: 0, knownMs: 0, knownDwh: 0, brokenMs: 0, estimated: false };
  // All of it is in the sealed slot behind.
  if (after?.sealed === true) return { ...sum, estimated: points.length > 0 };
  for (let index = 1; index < all.length; index += 1) {
    const from = all[index - 1];
    const to = all[index];
    if (from === undefined || to === undefined) continue;
    const beginMs = Math.max(0, from.atMs);
    const endMs = Math.min(slotMs, to.atMs);
    const step = stepOf(from, to, maxDwh);
    if (step === null) {
      sum.brokenMs += endMs - beginMs;
      continue;
    }
    const far = isFar(from, to);
    if (far && to.atMs >= slotMs) continue;
    // What a packed day counted may stand at the very moment of the reading after it.
    const shareBefore = far || beginMs === from.atMs ? 0 : shareOf(step, from, to, beginMs);
    const share = (far ? step : shareOf(step, from, to, endMs)) - shareBefore;
    sum.dwh += share;
    if (far || ((from.atMs < 0 || to.atMs > slotMs) && to.atMs - from.atMs > gapMs)) sum.estimated = true;
    if (far) continue;
    sum.knownMs += endMs - beginMs;
    sum.knownDwh += share;
  }
  return sum;
}

/** Of a step, what is given to the time up to `atMs`. */
export function shareOf(step: number, from: RegisterPoint, to: RegisterPoint, atMs: number): number {
  if (atMs >= to.atMs) return step;
  return Math.round((step * (atMs - from.atMs)) / (to.atMs - from.atMs));
}
