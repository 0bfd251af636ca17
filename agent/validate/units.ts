/** Power against register over a while. Never changed, only replaced. */
export interface UnitWatch {
  readonly startMs: number;
  readonly startWh: number;
  /** What the power would have added to the register since. */
  readonly energyWh: number;
  readonly powerW: number;
  readonly atMs: number;
  /** By how much the register was the larger one in the last whole window; 1: they agree. */
  readonly factor: number;
}

/** Wh for kWh, watt-minutes for Wh, and both the other way round. */
const MISTAKES = [1_000, 60, 1 / 60, 1 / 1_000];
/** How far the ratio may lie from one of them: power that comes once a minute is a sample, not a mean. */
const NEAR = 1.3;
const HOUR_MS = 3_600_000;
const WINDOW_MS = HOUR_MS;
/** A window in which little flowed goes on, but not for longer than this. */
const MAX_WINDOW_MS = 24 * HOUR_MS;
/** Nobody knows what flowed in a longer gap. */
const MAX_GAP_MS = 900_000;
/** The larger and the smaller of both energies must reach this, or the resolution of a register would decide. */
const LARGER_WH = 100;
const SMALLER_WH = 1;

export interface Measured {
  readonly powerW: number | undefined;
  /** As it was sent: a mistaken unit may be the reason why it is not stored. */
  readonly registerWh: number | undefined;
  readonly atMs: number;
}

export function watchUnits(before: UnitWatch | undefined, now: Measured): UnitWatch | undefined {
  const { registerWh, atMs } = now;
  if (before === undefined) return begin(now, 1);
  if (atMs < before.atMs) return before;
  const powerW = Math.max(0, now.powerW ?? before.powerW);
  if (atMs - before.atMs > MAX_GAP_MS) return begin({ ...now, powerW }, before.factor);
  const energyWh = before.energyWh + ((before.powerW + powerW) / 2) * ((atMs - before.atMs) / HOUR_MS);
  const { startMs, startWh, factor } = before;
  const going = { startMs, startWh, energyWh, powerW, atMs, factor };
  if (registerWh === undefined) return going;
  if (registerWh < startWh || atMs - startMs > MAX_WINDOW_MS) return begin({ ...now, powerW }, factor);
  const movedWh = registerWh - startWh;
  const isTelling = Math.max(energyWh, movedWh) >= LARGER_WH && Math.min(energyWh, movedWh) >= SMALLER_WH;
  if (atMs - startMs < WINDOW_MS || !isTelling) return going;
  return begin({ ...now, powerW }, mistakeOf(movedWh / energyWh));
}

function begin({ powerW, registerWh, atMs }: Measured, factor: number): UnitWatch | undefined {
  if (powerW === undefined || registerWh === undefined) return undefined;
  return { startMs: atMs, startWh: registerWh, energyWh: 0, powerW: Math.max(0, powerW), atMs, factor };
}

const mistakeOf = (ratio: number): number =>
  MISTAKES.find((mistake) => Math.max(ratio / mistake, mistake / ratio) <= NEAR) ?? 1;

/** `the register counts 1,000 times what power says`, or the other way round. */
export const factorText = (factor: number): string =>
  factor > 1
    ? `the register counts ${factor.toLocaleString('en')} times what power says`
    : `power says ${Math.round(1 / factor).toLocaleString('en')} times what the register counts`;
