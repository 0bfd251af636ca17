import { createPatience } from './patience.js';
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
  /** Longest wait for more, asked anew for each commit; 0 commits at each turn of the event loop. */
  windowMs(): number;
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

/**
 * A commit writes the same few pages whether it holds one publication or a hundred: of so many each costs a hundred
 * bytes for them, about as much as for itself, and waiting for more brings little.
 */
const ENOUGH = 128;

/**
 * One commit for what all clients send: a sync to disk costs the same for one publication as for a thousand, and wears
 * the card as much. Where publications are rare it commits in the same turn of the event loop. Otherwise it waits for
 * more, never longer than the window, until it has enough, and only while waiting has proved to gather more.
 */
export function createGroupCommit(
  accept: Accept,
  { maxPending, windowMs }: GroupCommitOptions,
  timing: Timing = eventLoop,
): GroupCommit {
  const patience = createPatience();
  let batch: Publication[] = [];
  let answers: Answer[] = [];
  let lastCommitMs = timing.monotonicMs();
  let callOff: (() => void) | undefined;
  /** What a wait has seen at its last look; undefined when the commit comes with the next turn anyway. */
  let wait: { readonly endsAtMs: number; atMs: number; size: number } | undefined;

  function flush(): void {
    callOff?.();
    callOff = undefined;
    wait = undefined;
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
    patience.committed(publications.length, nowMs - lastCommitMs);
    lastCommitMs = nowMs;
    for (const answer of waiting) answer(failure);
  }

  function begin(): void {
    const longestMs = windowMs();
    if (!patience.isWorthWaiting(longestMs)) {
      callOff = timing.nextTurn(flush);
      return;
    }
    const atMs = timing.monotonicMs();
    wait = { endsAtMs: atMs + longestMs, atMs, size: batch.length };
    callOff = timing.after(Math.min(patience.quietMs(), longestMs), look);
  }

  function look(): void {
    if (wait === undefined) return;
    const nowMs = timing.monotonicMs();
    const isQuiet = patience.isQuiet(batch.length - wait.size, nowMs - wait.atMs);
    if (isQuiet || nowMs >= wait.endsAtMs) {
      patience.learn(isQuiet ? 'quiet' : 'more came');
      flush();
      return;
    }
    wait.atMs = nowMs;
    wait.size = batch.length;
    callOff = timing.after(Math.min(patience.quietMs(), wait.endsAtMs - nowMs), look);
  }

  /** What has arrived with the last one is taken along. */
  function closeWithThisTurn(): void {
    patience.learn('more came');
    wait = undefined;
    callOff?.();
    callOff = timing.nextTurn(flush);
  }

  return {
    add(publication, answer) {
      batch.push(publication);
      answers.push(answer);
      if (batch.length >= maxPending) flush();
      else if (batch.length === 1) begin();
      else if (wait !== undefined && batch.length >= ENOUGH) closeWithThisTurn();
    },
    flush,
    get pending() {
      return batch.length;
    },
  };
}
