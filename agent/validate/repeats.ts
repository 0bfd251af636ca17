import type { EpochMs, MeterId } from '../domain/brand.js';
import type { Measure } from '../domain/reading.js';
import { SCALE } from '../domain/stored.js';

/** Readings of one meter that a repeat is recognised against. At one reading a second it spans half a minute of resends. */
export const REMEMBERED = 32;

interface Entry {
  readonly takenAtMs: EpochMs;
  readonly fingerprint: string;
}

export type Seen = 'new' | 'same' | 'other';

/** What each meter sent last, to tell a repeat from a reading without asking the disk. */
export interface Repeats {
  at(meter: MeterId, takenAtMs: EpochMs, fingerprint: string): Seen;
  hasValues(meter: MeterId, fingerprint: string): boolean;
  lastTimeMs(meter: MeterId): EpochMs | undefined;
  add(meter: MeterId, takenAtMs: EpochMs, fingerprint: string): void;
  /** Takes back the newest `add` of this meter; for a batch that was not stored. */
  undo(meter: MeterId): void;
}

type Values = Partial<Record<Measure, number>>;

/** Of the values as the buffer stores them: after a restart they come from there, rounded. */
export function fingerprintOf({
  powerW,
  importWh,
  exportWh,
  voltageV,
  currentA,
  powerFactor,
  frequencyHz,
}: Values): string {
  const registers = `${SCALE.energyDwh.pack(importWh)}|${SCALE.energyDwh.pack(exportWh)}`;
  const grid = `${SCALE.voltageCv.pack(voltageV)}|${SCALE.frequencyChz.pack(frequencyHz)}`;
  const load = `${SCALE.powerDw.pack(powerW)}|${SCALE.currentMa.pack(currentA)}|${SCALE.powerFactorPm.pack(powerFactor)}`;
  return `${load}|${registers}|${grid}`;
}

export function createRepeats(): Repeats {
  const rings = new Map<MeterId, Entry[]>();
  const of = (meter: MeterId): readonly Entry[] => rings.get(meter) ?? [];

  return {
    at(meter, takenAtMs, fingerprint) {
      const entry = of(meter).find((candidate) => candidate.takenAtMs === takenAtMs);
      if (entry === undefined) return 'new';
      return entry.fingerprint === fingerprint ? 'same' : 'other';
    },
    hasValues: (meter, fingerprint) => of(meter).some((entry) => entry.fingerprint === fingerprint),
    lastTimeMs: (meter) => of(meter).at(-1)?.takenAtMs,
    add(meter, takenAtMs, fingerprint) {
      const ring = rings.get(meter);
      if (ring === undefined) {
        rings.set(meter, [{ takenAtMs, fingerprint }]);
        return;
      }
      ring.push({ takenAtMs, fingerprint });
      if (ring.length > REMEMBERED) ring.shift();
    },
    undo(meter) {
      rings.get(meter)?.pop();
    },
  };
}
