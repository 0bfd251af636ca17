/** Scores and what they should have found, in any order. */
export interface Judged {
  readonly scores: ArrayLike<number>;
  /** 1 where it should be high. */
  readonly labels: ArrayLike<number>;
}

/** A threshold between two different scores, and how many of each kind reach it. */
export interface Cut {
  readonly score: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** One cut below each distinct score, from the highest down; equal scores stand or fall together. */
export function cutsOf({ scores, labels }: Judged): Cut[] {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const cuts: Cut[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  for (const [rank, index] of order.entries()) {
    if (labels[index] === 1) truePositives += 1;
    else falsePositives += 1;
    const score = scores[index] as number;
    const next = order[rank + 1];
    if (next === undefined || scores[next] !== score) cuts.push({ score, truePositives, falsePositives });
  }
  return cuts;
}

/** The probability that a positive stands above a negative, ties counted half; NaN without one of either. */
export function areaUnderRoc(judged: Judged): number {
  const cuts = cutsOf(judged);
  const { truePositives: positives = 0, falsePositives: negatives = 0 } = cuts.at(-1) ?? {};
  let area = 0;
  let before = { truePositives: 0, falsePositives: 0 };
  for (const cut of cuts) {
    area += ((cut.falsePositives - before.falsePositives) * (cut.truePositives + before.truePositives)) / 2;
    before = cut;
  }
  return area / (positives * negatives);
}

/** The mean precision over the recall, as scikit-learn sums it: no interpolation. */
export function averagePrecision(judged: Judged): number {
  const cuts = cutsOf(judged);
  const positives = cuts.at(-1)?.truePositives ?? 0;
  let sum = 0;
  let before = 0;
  for (const { truePositives, falsePositives } of cuts) {
    sum += ((truePositives - before) * truePositives) / (truePositives + falsePositives);
    before = truePositives;
  }
  return sum / positives;
}
