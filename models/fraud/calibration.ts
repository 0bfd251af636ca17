/** A monotone piecewise linear map from raw scores to the scores that are shown. */
export interface Calibration {
  /** Rising pairs of raw score and shown score, from 0 to 1. */
  readonly knots: readonly (readonly [raw: number, score: number])[];
}

/** The shown score that stands for the declared false-alarm rate. */
export const DECLARED_SCORE = 0.6;
export const FALSE_ALARM_RATE = 0.001;

/** Below the declared score the shown one only has to rise with the raw one; these two places make it readable. */
const LOWER_KNOTS: readonly (readonly [quantile: number, score: number])[] = [
  [0.5, 0.15],
  [0.95, 0.4],
];

/** Puts DECLARED_SCORE where at most `falseAlarmRate` of the clean raw scores reach it. */
export function calibrate(rawScores: Float64Array, falseAlarmRate = FALSE_ALARM_RATE): Calibration {
  const sorted = rawScores.slice().sort();
  const alarms = Math.floor(sorted.length * falseAlarmRate);
  const declared = firstAbove(sorted, sorted.length - alarms - 1);
  const lower = LOWER_KNOTS.map(([quantile, shown]): readonly [number, number] => [
    sorted[Math.floor(quantile * (sorted.length - 1))] ?? 0,
    shown,
  ]);
  const knots = [[0, 0], ...lower, [declared, DECLARED_SCORE], [1, 1]] as const;
  return { knots: knots.filter(([raw], index) => index === 0 || raw > (knots[index - 1]?.[0] ?? 0)) };
}

/** The middle between a score that is ordinary and the next higher one, so that rounding decides nothing. */
function firstAbove(sorted: Float64Array, ordinary: number): number {
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
