/** Fewer to be expected in a whole window are not worth anybody's waiting. */
const WORTH_WAITING_FOR = 2;
/** Shorter silences say nothing: a busy processor has them too. */
const QUIET_MS = 2;
/** Of so many to be expected, fewer than a quarter came: by chance that happens in one of three hundred. */
const EXPECTED_IN_QUIET = 8;
const MISSED_SHARE = 0.25;
/** What the arrival rate remembers of the commits before; at 0.9 it follows a change within a dozen of them. */
const MEMORY = 0.9;
/** The first few arrivals say nothing about a rate. */
const SILENCE_BEFORE_START_MS = 1_000;
/** Commits without a wait after the second one in vain; it doubles with each further one, up to 256. */
const FIRST_PENALTY = 4;
const MAX_IN_VAIN = 8;
/** Waits between two trials of not waiting: at first few, then more with each in vain. */
const TRIAL_AFTER = { first: 8, most: 128 };
/** Fewer commits of a trial say nothing. */
const TRIAL_COMMITS = 2;
/** Arrivals that haste makes so much more frequent were kept back by our waiting. */
const FASTER = 4;
/** Messages that had piled up, at a sender or before a busy processor, look the same for a moment, but not for so long. */
const LASTING_MS = 250;

type Ended = 'quiet' | 'more came';

interface Rate {
  count: number;
  elapsedMs: number;
}

interface Trial extends Rate {
  commits: number;
}

/**
 * Whether waiting gathers more, or only keeps senders waiting that may have no more under way before we answer. Nothing
 * in MQTT 3.1.1 tells how many that are, so it is learned from how they behave.
 */
export interface Patience {
  isWorthWaiting(windowMs: number): boolean;
  /** For so long it is worth looking away. */
  quietMs(): number;
  /** Whether so few arrivals in so much time mean that everybody is waiting for us. */
  isQuiet(arrivals: number, elapsedMs: number): boolean;
  /** How a wait has ended. */
  learn(ended: Ended): void;
  committed(publications: number, sinceLastMs: number): void;
}

export function createPatience(): Patience {
  const rate: Rate = { count: 0, elapsedMs: SILENCE_BEFORE_START_MS };
  let inVain = 0;
  /** Commits left to be made without a wait, and what the rate was when that began. */
  let hasty = { commits: 0, since: 0 };
  let trial: Trial | undefined;
  let trialAfter = TRIAL_AFTER.first;
  let waits = 0;

  const perMs = ({ count, elapsedMs }: Rate): number => count / Math.max(elapsedMs, Number.EPSILON);

  function beginTrial(): void {
    waits = 0;
    trial = { count: 0, elapsedMs: 0, commits: 0 };
  }

  function tryOn(tried: Trial): void {
    if (tried.commits < TRIAL_COMMITS) return;
    const isFaster = perMs(tried) >= FASTER * perMs(rate);
    if (isFaster && tried.elapsedMs < LASTING_MS) return;
    trial = undefined;
    if (!isFaster) {
      trialAfter = Math.min(TRIAL_AFTER.most, 2 * trialAfter);
      return;
    }
    // Nothing is known of the senders but that they come faster when they are answered at once.
    trialAfter = TRIAL_AFTER.first;
    rate.count = tried.count;
    rate.elapsedMs = tried.elapsedMs;
  }

  return {
    isWorthWaiting(windowMs) {
      if (perMs(rate) * windowMs < WORTH_WAITING_FOR) return false;
      if (hasty.commits === 0 && waits >= trialAfter) beginTrial();
      return hasty.commits === 0 && trial === undefined;
    },
    quietMs: () => Math.max(QUIET_MS, EXPECTED_IN_QUIET / perMs(rate)),
    isQuiet(arrivals, elapsedMs) {
      const expected = perMs(rate) * elapsedMs;
      return expected >= EXPECTED_IN_QUIET / 2 && arrivals < MISSED_SHARE * expected;
    },
    learn(ended) {
      waits += 1;
      inVain = ended === 'quiet' ? Math.min(MAX_IN_VAIN, inVain + 1) : Math.max(0, inVain - 2);
      // A silence now and then is chance; silences more often than not are how the senders work.
      if (inVain >= 2) hasty = { commits: FIRST_PENALTY * 2 ** (inVain - 2), since: perMs(rate) };
    },
    committed(publications, sinceLastMs) {
      if (trial !== undefined) {
        trial.count += publications;
        trial.elapsedMs += sinceLastMs;
        trial.commits += 1;
        tryOn(trial);
        return;
      }
      if (hasty.commits > 0) hasty.commits -= 1;
      rate.count = rate.count * MEMORY + publications;
      rate.elapsedMs = rate.elapsedMs * MEMORY + sinceLastMs;
      // Those that could not wait have gone, or have said all.
      if (hasty.commits > 0 && perMs(rate) < hasty.since / FASTER) {
        hasty.commits = 0;
        inVain = 0;
      }
    },
  };
}
