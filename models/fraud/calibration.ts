import { z } from 'zod';

/** A monotone piecewise linear map from raw scores to the scores that are shown. */
export interface Calibration {
  /** Rising pairs of raw score and shown score, from 0 to 1. */
  readonly knots: readonly (readonly [raw: number, score: number])[];
  /** Which raw score larger shares of the clean scores reach; falling shares. Older bundles do not say. */
  readonly tail?: Tail;
}

type Tail = readonly (readonly [share: number, raw: number])[];

/** The shown score that stands for the declared false-alarm rate. */
export const DECLARED_SCORE = 0.6;
/** Of slots; an alarm is one of them. */
export const FALSE_ALARM_RATE = 0.001;

/** As far as a contamination may be set; between two of them the score is. */
export const TAIL_SHARES = [0.02, 0.014, 0.01, 0.007, 0.005];

/** Below the declared score the shown one only has to rise with the raw one; these two places make it readable. */
const LOWER_KNOTS: readonly (readonly [quantile: number, score: number])[] = [
  [0.5, 0.15],
  [0.95, 0.4],
];

/** Puts DECLARED_SCORE where at most `falseAlarmRate` of the clean raw scores reach it. */
export function calibrate(rawScores: Float64Array, falseAlarmRate = FALSE_ALARM_RATE): Calibration {
  const sorted = rawScores.slice().sort();
  const reachedBy = (share: number) => firstAbove(sorted, sorted.length - Math.floor(sorted.length * share) - 1);
  const declared = reachedBy(falseAlarmRate);
  const lower = LOWER_KNOTS.map(([quantile, shown]): readonly [number, number] => [
    sorted[Math.floor(quantile * (sorted.length - 1))] ?? 0,
    shown,
  ]);
  const knots = [[0, 0], ...lower, [declared, DECLARED_SCORE], [1, 1]] as const;
  return {
    knots: knots.filter(([raw], index) => index === 0 || raw > (knots[index - 1]?.[0] ?? 0)),
    tail: TAIL_SHARES.map((share) => [share, reachedBy(share)] as const),
  };
}

/** The same, but DECLARED_SCORE is reached by so large a share of the clean scores; undefined where no tail is known. */
export function calibrateAgain({ knots, tail }: Calibration, share: number): Calibration | undefined {
  const declared = tail === undefined ? undefined : reachedBy(tail, share);
  if (tail === undefined || declared === undefined) return undefined;
  const below = knots.filter(([raw, shown]) => raw < declared && shown < DECLARED_SCORE);
  const above = knots.filter(([raw, shown]) => raw > declared && shown > DECLARED_SCORE);
  return { knots: [...below, [declared, DECLARED_SCORE], ...above], tail };
}

/** Between two shares, by their logarithms. */
function reachedBy(tail: Tail, share: number): number | undefined {
  const at = tail.findIndex(([known]) => known <= share);
  const [smaller, larger] = [tail[at], tail[Math.max(at - 1, 0)]];
  if (smaller === undefined || larger === undefined) return undefined;
  const [low, high] = [Math.log(smaller[0]), Math.log(larger[0])];
  const part = high > low ? Math.min((Math.log(share) - low) / (high - low), 1) : 0;
  return smaller[1] + part * (larger[1] - smaller[1]);
}

/** The middle between a score that is ordinary and the next higher one, so that rounding decides nothing. */
export function firstAbove(sorted: Float64Array, ordinary: number): number {
  const from = sorted[ordinary] ?? DECLARED_SCORE;
  for (let index = ordinary + 1; index < sorted.length; index++) {
    const next = sorted[index] as number;
    if (next > from) return (from + next) / 2;
  }
  // Nothing is more extreme than what is ordinary: what shall alarm must be clearly so.
  return Math.min(from + 0.01, 0.999);
}

export function calibrated({ knots }: Calibration, raw: number): number {
  for (let index = 1; index < knots.length; index++) {
    const [toRaw, toScore] = knots[index] ?? [1, 1];
    if (raw > toRaw) continue;
    const [fromRaw, fromScore] = knots[index - 1] ?? [0, 0];
    return fromScore + ((toScore - fromScore) * Math.max(raw - fromRaw, 0)) / (toRaw - fromRaw);
  }
  return 1;
}

/** The raw score that is shown as DECLARED_SCORE. */
export const declaredRaw = ({ knots }: Calibration): number =>
  knots.find(([, shown]) => shown >= DECLARED_SCORE)?.[0] ?? 1;

const pairs = z
  .array(z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]))
  .min(2)
  .max(100);
export const calibrationFields = { calibration: pairs, tail: pairs.optional() };
interface CalibrationFile {
  readonly calibration: [number, number][];
  readonly tail?: [number, number][] | undefined;
}

export const packCalibration = ({ knots, tail }: Calibration): CalibrationFile => ({
  calibration: knots.map(([raw, score]) => [raw, score]),
  ...(tail === undefined ? {} : { tail: tail.map(([share, raw]) => [share, raw]) }),
});

/** Undefined where it does not rise. */
export function parseCalibration({ calibration, tail }: CalibrationFile): Calibration | undefined {
  const rises = calibration.every(([raw, shown], index) => {
    const [rawBefore, shownBefore] = calibration[index - 1] ?? [-1, -1];
    return raw > rawBefore && shown >= shownBefore;
  });
  const falls = (tail ?? []).every(([share, raw], index) => {
    const [shareBefore, rawBefore] = tail?.[index - 1] ?? [2, -1];
    return share < shareBefore && raw >= rawBefore;
  });
  if (!rises || !falls) return undefined;
  return tail === undefined ? { knots: calibration } : { knots: calibration, tail };
}
