/** The last powers of a meter, as far as a false zero needs them. Never changed, only replaced. */
export interface PowerTrail {
  readonly isReal: boolean;
  readonly atMs: number;
  /** The zero directly follows a real value. */
  readonly fellFromReal: boolean;
}

/** Below it a load may well come and go. */
const REAL_W = 5;
/** zigbee plugs repeat themselves two or three times a second, with a zero in between. */
const WITHIN_MS = 2_000;

/**
 * A zero is told by what follows, and is on disk by then: the log is append-only. So the reading after it carries the
 * flag, and names the one before as the suspect.
 */
export function followPower(
  before: PowerTrail | undefined,
  powerW: number,
  atMs: number,
): { readonly trail: PowerTrail; readonly refutesZero: boolean } {
  const isReal = Math.abs(powerW) >= REAL_W;
  const elapsedMs = before === undefined ? Number.NaN : atMs - before.atMs;
  const refutesZero = isReal && before?.fellFromReal === true && elapsedMs >= 0 && elapsedMs <= WITHIN_MS;
  const fellFromReal = powerW === 0 && (before?.isReal === true || before?.fellFromReal === true);
  return { trail: { isReal, atMs, fellFromReal }, refutesZero };
}
