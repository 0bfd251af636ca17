import { type EpochMs, epochMs, type MeterId } from '../domain/brand.js';
import type { PowerTrail } from './false-zero.js';
import type { RegisterState } from './register.js';
import { createRings, type Print, type Recent, remember, rememberedOf, takeBack } from './repeats.js';
import type { UnitWatch } from './units.js';

/** What the rules know of a meter from its readings before. Never changed, only replaced. */
export interface MeterState {
  /** The latest time of its readings. */
  readonly lastMs: EpochMs | undefined;
  readonly imported: RegisterState | undefined;
  readonly exported: RegisterState | undefined;
  readonly units: UnitWatch | undefined;
  readonly power: PowerTrail | undefined;
}

export const NOTHING_KNOWN: MeterState = {
  lastMs: undefined,
  imported: undefined,
  exported: undefined,
  units: undefined,
  power: undefined,
};

interface Entry {
  readonly recent: Recent;
  state: MeterState;
}

/** Takes one step back; for a batch that was not stored. */
export type Undo = () => void;

/** About 0.8 kB for each meter that has ever sent, and its last readings: 30 MB for 20,000. */
export interface MeterMemory {
  knows(meter: string): boolean;
  stateOf(meter: MeterId): MeterState;
  recentOf(meter: MeterId): Recent | undefined;
  /** `print` when it is stored as a reading; without it only the state moves on. */
  learn(meter: MeterId, state: MeterState, print: Print | undefined): Undo;
  /** Meters of which something is known at a later time than this. */
  beyond(ms: number): readonly MeterId[];
  /** What is known of this meter lies so much later (or earlier) than was thought. */
  move(meter: MeterId, byMs: number): void;
}

export function createMeterMemory(): MeterMemory {
  const entries = new Map<string, Entry>();
  const createRecent = createRings();
  return {
    knows: (meter) => entries.has(meter),
    stateOf: (meter) => entries.get(meter)?.state ?? NOTHING_KNOWN,
    recentOf: (meter) => entries.get(meter)?.recent,
    learn(meter, state, print) {
      const known = entries.get(meter);
      if (known === undefined) {
        const recent = createRecent();
        if (print !== undefined) remember(recent, print, rememberedOf(entries.size));
        entries.set(meter, { recent, state });
        return () => entries.delete(meter);
      }
      const before = known.state;
      known.state = state;
      const overwritten = print === undefined ? undefined : remember(known.recent, print, rememberedOf(entries.size));
      return () => {
        known.state = before;
        if (overwritten !== undefined) takeBack(known.recent, overwritten);
      };
    },
    beyond: (ms) => [...entries].filter(([, { state }]) => (state.lastMs ?? 0) > ms).map(([meter]) => meter as MeterId),
    move(meter, byMs) {
      const entry = entries.get(meter);
      if (entry !== undefined) entry.state = moved(entry.state, byMs);
    },
  };
}

function moved({ lastMs, imported, exported, units, power }: MeterState, byMs: number): MeterState {
  const later = <T extends { readonly atMs: number }>(at: T): T => ({ ...at, atMs: at.atMs + byMs });
  const register = (at: RegisterState): RegisterState => ({ ...later(at), other: at.other && later(at.other) });
  return {
    lastMs: lastMs === undefined ? undefined : epochMs(lastMs + byMs),
    imported: imported && register(imported),
    exported: exported && register(exported),
    units: units && { ...later(units), startMs: units.startMs + byMs },
    power: power && later(power),
  };
}
