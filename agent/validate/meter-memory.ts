import { type EpochMs, epochMs, type MeterId } from '../domain/brand.js';
import {
  createShelves,
  firstCells,
  type MeterState,
  NOTHING_KNOWN,
  putState,
  type Shelf,
  stateOn,
} from './meter-state.js';
import type { RegisterState } from './register.js';
import { createRings, nextCellOf, type Print, type Recent, remember, rememberedOf, takeBack } from './repeats.js';

/** One that has sent before, and where what is known of it is. */
export interface KnownMeter extends Shelf, Recent {
  /** The same string each time: whoever looks it up by its name again need not compare characters. */
  readonly id: MeterId;
}

export interface Step {
  /** As it was found; undefined when this is the first time that it sends. */
  readonly known: KnownMeter | undefined;
  readonly before: MeterState;
  readonly state: MeterState;
  /** When it is stored as a reading; without it only the state moves on. */
  readonly print: Print | undefined;
}

/** Takes one step back; for a batch that was not stored. */
export type Undo = () => void;

/** Some 1,170 bytes for each meter that has ever sent, of which 770 are its last readings: 23 MB for 20,000. */
export interface MeterMemory {
  find(name: string): KnownMeter | undefined;
  /**
   * All of a batch, one directly after the other: of twenty thousand meters hardly anything is in a cache near the
   * processor, and what it has to fetch for one of them it fetches while it looks for the next.
   */
  findAll(names: readonly (string | undefined)[]): readonly (KnownMeter | undefined)[];
  stateOf(meter: KnownMeter | undefined): MeterState;
  learn(meter: MeterId, step: Step): Undo;
  /** Meters of which something is known at a later time than this, and that time. */
  beyond(ms: number): readonly { readonly meter: MeterId; readonly lastMs: EpochMs }[];
  /** What is known of this meter lies so much later (or earlier) than was thought. */
  move(meter: MeterId, byMs: number): void;
}

export function createMeterMemory(): MeterMemory {
  const meters = new Map<string, KnownMeter>();
  const createRecent = createRings();
  const nextShelf = createShelves();
  /** Of no use; but what is read for nothing is not read. */
  const fetched = new Float64Array(1);

  function add(id: MeterId): KnownMeter {
    const added = { id, ...createRecent(), ...nextShelf() };
    meters.set(id, added);
    return added;
  }

  function findAll(names: readonly (string | undefined)[]): readonly (KnownMeter | undefined)[] {
    const found = names.map((name) => (name === undefined ? undefined : meters.get(name)));
    for (const meter of found) {
      if (meter !== undefined) fetched[0] = firstCells(meter) + (meter.ring[nextCellOf(meter)] ?? 0);
    }
    return found;
  }

  return {
    find: (name) => meters.get(name),
    findAll,
    stateOf: (meter) => (meter === undefined ? NOTHING_KNOWN : stateOn(meter)),
    learn(id, { known, before, state, print }) {
      const meter = known ?? add(id);
      putState(meter, state);
      const overwritten = print === undefined ? undefined : remember(meter, print, rememberedOf(meters.size));
      return () => {
        if (known === undefined) {
          meters.delete(id);
          return;
        }
        putState(meter, before);
        if (overwritten !== undefined) takeBack(meter, overwritten);
      };
    },
    beyond: (ms) =>
      [...meters.values()].flatMap((meter) => {
        const { lastMs } = stateOn(meter);
        return lastMs !== undefined && lastMs > ms ? [{ meter: meter.id, lastMs }] : [];
      }),
    move(id, byMs) {
      const known = meters.get(id);
      if (known !== undefined) putState(known, moved(stateOn(known), byMs));
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
