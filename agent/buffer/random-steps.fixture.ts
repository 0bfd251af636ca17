import type { EpochMs, MeterId } from '../domain/brand.js';
import { epochMs } from '../domain/brand.js';
import { type Random, seededRandom } from '../domain/clock.js';
import type { Reading } from '../domain/reading.js';

/** What is done to a buffer, one thing after the other; made beforehand, so that a killed process can be taken up again. */
export type Step =
  | { readonly kind: 'commit'; readonly atMs: EpochMs; readonly readings: readonly Reading[] }
  | { readonly kind: 'close-slots'; readonly atMs: EpochMs; readonly limit: number }
  | { readonly kind: 'settle'; readonly share: number }
  | { readonly kind: 'prune'; readonly atMs: EpochMs }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'power-cut' };

/** A whole number of days since 1970. */
const BEGAN_MS = 20_000 * 86_400_000;

interface MeterState {
  readonly name: MeterId;
  readonly kind: 'power' | 'register' | 'both';
  readonly intervalMs: number;
  atMs: number;
  registerDwh: number;
}

const pick = <T>(random: Random, of: readonly [T, ...T[]]): T => of[Math.floor(random() * of.length)] ?? of[0];

/** Readings in order, late, twice (the second time with other values), after gaps, of registers that begin anew. */
export function randomSteps(seed: number, count: number): readonly Step[] {
  const random = seededRandom(seed);
  const meters: MeterState[] = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => ({
    name: `m${index}` as MeterId,
    kind: pick(random, ['power', 'register', 'both']),
    intervalMs: pick(random, [10_000, 30_000, 60_000, 90_000]),
    atMs: BEGAN_MS + Math.floor(random() * 60_000),
    registerDwh: Math.floor(random() * 1e6),
  }));
  const sent: Reading[] = [];
  const late: Reading[] = [];
  let nowMs = BEGAN_MS;

  function next(meter: MeterState): Reading {
    meter.atMs += random() < 0.02 ? meter.intervalMs * Math.floor(2 + random() * 40) : meter.intervalMs;
    if (random() < 0.01) meter.registerDwh = 0;
    meter.registerDwh += Math.floor(random() * 20);
    nowMs = Math.max(nowMs, meter.atMs);
    const powerW = Math.floor(random() * 3_000) - 200;
    return {
      meter: meter.name,
      takenAtMs: epochMs(meter.atMs),
      receivedAtMs: epochMs(meter.atMs),
      timeSource: 'meter',
      flags: 0,
      ...(meter.kind !== 'register' && { powerW }),
      ...(meter.kind !== 'power' && { importWh: meter.registerDwh / 10 }),
      ...(random() < 0.5 && { voltageV: 225 + Math.floor(random() * 10) }),
    };
  }

  function batch(): Reading[] {
    const readings: Reading[] = [];
    for (let n = Math.floor(random() * 25); n >= 0; n -= 1) {
      const fresh = next(pick(random, meters as [MeterState, ...MeterState[]]));
      if (random() < 0.05) late.push(fresh);
      else readings.push(fresh);
      const [overdue] = late;
      if (overdue !== undefined && random() < 0.05) readings.push(...late.splice(0, 1));
      const before = sent[Math.floor(random() * sent.length)];
      // The same moment again: the first stands, whatever the second says.
      if (before !== undefined && random() < 0.04) {
        readings.push(before.powerW === undefined ? before : { ...before, powerW: before.powerW + 500 });
      }
    }
    sent.push(...readings);
    return readings;
  }

  const steps: Step[] = [];
  for (let n = 0; n < count; n += 1) {
    const dice = random();
    if (dice < 0.6) {
      const readings = batch();
      steps.push({ kind: 'commit', atMs: epochMs(nowMs), readings });
    } else if (dice < 0.78) {
      steps.push({ kind: 'close-slots', atMs: epochMs(nowMs), limit: 1 + Math.floor(random() * 20) });
    } else if (dice < 0.86) steps.push({ kind: 'settle', share: random() });
    else if (dice < 0.9) steps.push({ kind: 'prune', atMs: epochMs(nowMs) });
    else steps.push({ kind: random() < 0.5 ? 'reopen' : 'power-cut' });
  }
  if (late.length > 0) steps.push({ kind: 'commit', atMs: epochMs(nowMs), readings: late });
  return steps;
}
