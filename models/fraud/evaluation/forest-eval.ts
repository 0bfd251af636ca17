import { scoreRows } from '../forest/forest.js';
import { trainForest } from '../forest/forest-training.js';
import type { LabelledRows } from './labelled-rows.js';
import { areaUnderRoc, averagePrecision } from './ranking-measures.js';

/** What scikit-learn's own defaults are. */
const TREES = 100;
const SUBSAMPLE = 256;

export interface ForestEvaluation {
  readonly rows: number;
  readonly features: number;
  readonly anomalies: number;
  readonly seeds: number;
  readonly auc_mean: number;
  readonly auc_sd: number;
  readonly ap_mean: number;
}

/** Trained and scored on all rows, once with each of the seeds from 0 on, as scikit-learn's published figures were. */
export function evaluateForest({ rows, labels, features }: LabelledRows, seeds: number): ForestEvaluation {
  const aucs: number[] = [];
  const aps: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const scores = scoreRows(trainForest({ rows, features, trees: TREES, subsample: SUBSAMPLE, seed }), rows);
    aucs.push(areaUnderRoc({ scores, labels }));
    aps.push(averagePrecision({ scores, labels }));
  }
  const mean = meanOf(aucs);
  return {
    rows: labels.length,
    features,
    anomalies: labels.reduce((sum, label) => sum + label, 0),
    seeds,
    auc_mean: mean,
    auc_sd: Math.sqrt(meanOf(aucs.map((auc) => (auc - mean) ** 2))),
    ap_mean: meanOf(aps),
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
