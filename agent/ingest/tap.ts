import { eventLoop, type GroupCommit, type Timing } from './group-commit.js';
import type { Publication } from './publication.js';

/**
 * In front of the group commit: while there is no room to store anything, publications wait unanswered. A sender then
 * stops by itself, and its socket is read no further. Who has waited too long is answered with a failure, which closes
 * its connection: in MQTT 3.1.1 a client sends again only after it has connected again.
 */
export interface Tap extends GroupCommit {
  hold(): void;
  release(): void;
  readonly isHolding: boolean;
}

interface Waiting {
  readonly publication: Publication;
  readonly answer: Parameters<GroupCommit['add']>[1];
  readonly untilMs: number;
}

interface TapOptions {
  /** Publications that wait at most; further ones are answered with a failure at once. */
  readonly maxWaiting: number;
}

/** Longer than a restart of a service that makes room, shorter than most clients' own patience. */
export const CLOSE_AFTER_MS = 30_000;

export function createTap(commits: GroupCommit, { maxWaiting }: TapOptions, timing: Timing = eventLoop): Tap {
  let isHolding = false;
  let waiting: Waiting[] = [];
  let callOff: (() => void) | undefined;

  function watch(): void {
    const [first] = waiting;
    if (callOff !== undefined || first === undefined) return;
    callOff = timing.after(Math.max(0, first.untilMs - timing.monotonicMs()), () => {
      callOff = undefined;
      const nowMs = timing.monotonicMs();
      const late = waiting.filter(({ untilMs }) => untilMs <= nowMs);
      waiting = waiting.slice(late.length);
      for (const { answer } of late) answer(new Error('there is no room to store readings'));
      watch();
    });
  }

  function take(): readonly Waiting[] {
    callOff?.();
    callOff = undefined;
    const taken = waiting;
    waiting = [];
    return taken;
  }

  return {
    add(publication, answer) {
      if (!isHolding) commits.add(publication, answer);
      else if (waiting.length >= maxWaiting) answer(new Error('too many readings wait for room'));
      else {
        waiting.push({ publication, answer, untilMs: timing.monotonicMs() + CLOSE_AFTER_MS });
        watch();
      }
    },
    /** At the end: what is held stays unanswered, and is sent again to whoever comes next. */
    flush() {
      take();
      commits.flush();
    },
    get pending() {
      return commits.pending + waiting.length;
    },
    hold() {
      isHolding = true;
    },
    release() {
      isHolding = false;
      for (const { publication, answer } of take()) commits.add(publication, answer);
    },
    get isHolding() {
      return isHolding;
    },
  };
}
