import { createHmac, randomBytes } from 'node:crypto';
import { fitsPassword, MAX_PASSWORD_BYTES, NOBODY } from './password-hash.js';
import type { User, Users } from './users-file.js';

export interface CredentialLimits {
  /** Hashes computed at once, each on a thread of its own. */
  readonly checksAtOnce: number;
  readonly maxWaiting: number;
}

export type Verdict = { readonly user: User } | { readonly refused: 'bad_credentials' | 'busy' };

export interface Attempt {
  readonly name: string;
  readonly password: Uint8Array;
  /** Whether anybody still waits for the answer; asked when its turn comes. */
  isWanted(): boolean;
}

export interface Credentials {
  check(attempt: Attempt, users: Users): Promise<Verdict>;
  /** Whatever was found out before counts no more. */
  forget(): void;
}

/** Of the wrong ones the last are remembered, so that a misconfigured meter that tries every second costs one hash. */
const MAX_WRONG = 1_000;
const WRONG_FOR_MS = 60_000;

const WRONG: Verdict = { refused: 'bad_credentials' };

/**
 * Checks passwords without letting them take the processor: so many at once, so many waiting, and one hash for each
 * credential for as long as the file stays as it is.
 */
export function createCredentials(limits: CredentialLimits, nowMs: () => number): Credentials {
  // A digest under a key of this process: a dump of its memory holds no password, and gives none away by guessing.
  const key = randomBytes(32);
  let right = new Map<string, string>();
  let wrong = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let generation = 0;

  const digestOf = ({ name, password }: Attempt): string =>
    createHmac('sha256', key).update(`${name}\0`).update(password).digest('base64');

  async function turn(): Promise<void> {
    if (running >= limits.checksAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
  }

  /** Hands the place on to the next in line. */
  function done(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  async function compute(attempt: Attempt, user: User | undefined): Promise<boolean> {
    const stored = user !== undefined && typeof user.password === 'object' ? user.password : NOBODY;
    return (await fitsPassword(attempt.password, stored)) && stored !== NOBODY;
  }

  function remember(name: string, digest: string, fits: boolean): void {
    if (fits) {
      right.set(name, digest);
      return;
    }
    if (wrong.size >= MAX_WRONG) wrong = new Map([...wrong].slice(MAX_WRONG / 2));
    wrong.set(digest, nowMs());
  }

  /** Without a hash, where the same was asked before. */
  function known(digest: string, user: User | undefined): Verdict | undefined {
    if (user !== undefined && right.get(user.name) === digest) return { user };
    const wrongSinceMs = wrong.get(digest);
    return wrongSinceMs !== undefined && nowMs() - wrongSinceMs < WRONG_FOR_MS ? WRONG : undefined;
  }

  return {
    async check(attempt, users) {
      if (attempt.password.length > MAX_PASSWORD_BYTES) return WRONG;
      const user = users.get(attempt.name);
      const digest = digestOf(attempt);
      const before = known(digest, user);
      if (before !== undefined) return before;
      if (running >= limits.checksAtOnce && waiting.length >= limits.maxWaiting) return { refused: 'busy' };
      const asked = generation;
      await turn();
      try {
        if (!attempt.isWanted()) return { refused: 'busy' };
        // The same may have been found out while this one waited.
        const meanwhile = asked === generation ? known(digest, user) : undefined;
        if (meanwhile !== undefined) return meanwhile;
        const fits = await compute(attempt, user);
        if (asked === generation) remember(attempt.name, digest, fits);
        return fits && user !== undefined ? { user } : WRONG;
      } finally {
        done();
      }
    },
    forget() {
      generation += 1;
      right = new Map();
      wrong = new Map();
    },
  };
}
