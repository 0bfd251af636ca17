import type { MeterId } from '../domain/brand.js';
import type { Told } from '../domain/gateway-clock.js';

/** The clocks of the meters as a witness: each meter has one vote, and a minority that is wrong changes nothing. */
export interface MeterVote {
  /** A reading with a time of its own, when the kernel's counter stood there. */
  heard(meter: MeterId, takenAtMs: number, countMs: number): void;
  result(): Told | undefined;
  clear(): void;
}

export interface VoteRules {
  /** Fewer meters are no witness; 0: they are never asked. */
  readonly least: number;
  /** A meter's clock that stands before it was never set. */
  readonly notBeforeMs: number;
}

/** Beside each other within that, meters agree: they keep the time by themselves and send it with some delay. */
const AGREE_MS = 60_000;
/** Two thirds: with fewer, nobody can say who is right. */
const AGREEING = 2 / 3;
const MAX_METERS = 20_000;

export function createMeterVote({ least, notBeforeMs }: VoteRules): MeterVote {
  const votes = new Map<MeterId, number>();
  return {
    heard(meter, takenAtMs, countMs) {
      if (least === 0 || takenAtMs < notBeforeMs) return;
      const known = votes.get(meter);
      if (known === undefined && votes.size >= MAX_METERS) return;
      // What was on its way for longer lies further back: the freshest counts.
      votes.set(meter, Math.max(takenAtMs - countMs, known ?? Number.NEGATIVE_INFINITY));
    },
    result() {
      if (least === 0 || votes.size < least) return undefined;
      const bases = [...votes.values()].sort((a, b) => a - b);
      const median = bases[Math.floor(bases.length / 2)] ?? 0;
      const agreeing = bases.filter((base) => Math.abs(base - median) <= AGREE_MS).length;
      if (agreeing < least || agreeing < AGREEING * bases.length) return undefined;
      return { baseMs: median, errorMs: AGREE_MS };
    },
    clear: () => votes.clear(),
  };
}
