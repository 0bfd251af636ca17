import type { Accept, Publication } from './publication.js';

type Answer = (error?: Error) => void;

export interface GroupCommit {
  /** `answer` is called once, after the commit that holds the publication has ended; in the order of the adds. */
  add(publication: Publication, answer: Answer): void;
  flush(): void;
  readonly pending: number;
}

export interface GroupCommitOptions {
  /** Publications in one commit at most. */
  readonly maxPending: number;
  /** Longest wait for more; 0 commits at each turn of the event loop. */
  readonly windowMs: number;
}

/** Time and turns of the event loop; tests bring their own. Each returns a way to call it off. */
export interface Timing {
  monotonicMs(): number;
  nextTurn(run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
}

export const eventLoop: Timing = {
  monotonicMs: () => performance.now(),
  nextTurn(run) {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  },
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** No arrival for so long ends a wait: a sender that may have only some packets in flight is waiting for us. */
const QUIET_MS = 2;
/** A window in which fewer are to be expected is not worth anybody's waiting. */
const WORTH_WAITING_FOR = 8;
/** What the arrival rate remembers of the commits before; at 0.9 it follows a change within a dozen of them. */
const MEMORY = 0.9;
/** The first few arrivals say nothing about a rate. */
const SILENCE_BEFORE_START_MS = 1_000;
/** So many were to be expected in a quiet moment in which none came: by chance that happens in one of fifty. */
const MISSED = 4;
/** Commits without a wait after the second one in vain; it doubles with each further one, up to 64. */
const FIRST_PENALTY = 4;
const MAX_IN_VAIN = 6;

/**
 * One commit for what all clients send: a sync to disk costs the same for one publication as for a thousand. Under low
 * load it commits in the same turn of the event loop. Under load it waits for more, never longer than the window, as
 * long as more keeps coming, and only while waiting has proved to gather more.
 */
export function createGroupCommit(
  accept: Accept,
  { maxPending, windowMs }: GroupCommitOptions,
  timing: Timing = eventLoop,
): GroupCommit {
  const patience = createPatience(windowMs);
  let batch: Publication[] = [];
  let answers: Answer[] = [];
  let openedAtMs = 0;
  let lastCommitMs = timing.monotonicMs();
  let callOff: (() => void) | undefined;

  function flush(): void {
    callOff?.();
    callOff = undefined;
    if (batch.length === 0) return;
    const publications = batch;
    const waiting = answers;
    batch = [];
    answers = [];
    let failure: Error | undefined;
    try {
      accept(publications);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    const nowMs = timing.monotonicMs();
    patience.arrived(publications.length, nowMs - lastCommitMs);
    lastCommitMs = nowMs;
    for (const answer of waiting) answer(failure);
  }

  function firstTurn(): void {
    if (!patience.isWorthWaiting()) {
      flush();
      return;
    }
    look();
  }

  /** Waits for a quiet moment, or for the end of the window if that is sooner. */
  function look(): void {
    const leftMs = openedAtMs + windowMs - timing.monotonicMs();
    if (leftMs <= 0) {
      patience.learn('more came');
      flush();
      return;
    }
    const before = batch.length;
    callOff = timing.after(Math.min(QUIET_MS, leftMs), () => {
      if (batch.length > before) {
        look();
        return;
      }
      patience.learn('quiet');
      flush();
    });
  }

  return {
    add(publication, answer) {
      batch.push(publication);
      answers.push(answer);
      if (batch.length >= maxPending) {
        flush();
        return;
      }
      if (batch.length > 1) return;
      openedAtMs = timing.monotonicMs();
      callOff = timing.nextTurn(firstTurn);
    },
    flush,
    get pending() {
      return batch.length;
    },
  };
}

/** Whether to wait: what the arrival rate promises, and what waiting has brought so far. */
function createPatience(windowMs: number) {
  let count = 0;
  let elapsedMs = SILENCE_BEFORE_START_MS;
  let inVain = 0;
  let withoutWait = 0;
  const expectedIn = (ms: number): number => (count / elapsedMs) * ms;

  return {
    arrived(publications: number, sinceMs: number): void {
      count = count * MEMORY + publications;
      elapsedMs = elapsedMs * MEMORY + sinceMs;
    },
    isWorthWaiting(): boolean {
      if (expectedIn(windowMs) < WORTH_WAITING_FOR) return false;
      if (withoutWait === 0) return true;
      withoutWait -= 1;
      return false;
    },
    /** A silence where many were expected: the senders are waiting for their acknowledgements, not we for them. */
    learn(ended: 'quiet' | 'more came'): void {
      // A silence now and then is a busy processor; silences more often than not are how the senders work.
      const blocked = ended === 'quiet' && expectedIn(QUIET_MS) >= MISSED;
      inVain = blocked ? Math.min(MAX_IN_VAIN, inVain + 1) : Math.max(0, inVain - 2);
      withoutWait = inVain < 2 ? 0 : FIRST_PENALTY * 2 ** (inVain - 2);
    },
  };
}
