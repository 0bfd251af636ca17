import type { Accept, Publication } from './publication.js';

type Answer = (error?: Error) => void;

export interface GroupCommit {
  /** `answer` is called once, after the commit that holds the publication has ended. */
  add(publication: Publication, answer: Answer): void;
  flush(): void;
  readonly pending: number;
}

/**
 * One commit for whatever all clients sent in one turn of the event loop: an fsync costs the same for one reading as for
 * a thousand, and under low load nobody waits.
 */
export function createGroupCommit(accept: Accept, maxPending: number): GroupCommit {
  let batch: Publication[] = [];
  let answers: Answer[] = [];
  let scheduled: NodeJS.Immediate | undefined;

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
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
    for (const answer of waiting) answer(failure);
  }

  return {
    add(publication, answer) {
      batch.push(publication);
      answers.push(answer);
      if (batch.length >= maxPending) flush();
      else scheduled ??= setImmediate(flush);
    },
    flush,
    get pending() {
      return batch.length;
    },
  };
}
