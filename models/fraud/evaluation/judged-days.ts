import type { Days } from '../day-model.js';
import type { FleetPower } from '../fleet-power.js';
import { areaUnderRoc, averagePrecision, type Judged } from './ranking-measures.js';
import type { TheftLabel } from './theft-bench.js';

/** Scores of the test part beside the truth, one for each meter and day that was judged. */
export interface JudgedDays extends Judged {
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  /** The kind of theft; empty on honest days. */
  readonly types: readonly string[];
}

export interface Measures {
  readonly auc: number;
  readonly ap: number;
  readonly per_attack: Readonly<Record<string, { readonly auc: number; readonly ap: number }>>;
}

export const theftOn = (labels: readonly TheftLabel[], meter: string, day: number): TheftLabel | undefined =>
  labels.find((label) => label.meter === meter && day >= label.firstDay && day <= label.lastDay);

export function judgeDays(
  { fleet, labels, test }: { fleet: FleetPower; labels: readonly TheftLabel[]; test: Days },
  scores: readonly Float64Array[],
): JudgedDays {
  const judged = { scores: [] as number[], labels: [] as number[], types: [] as string[] };
  for (const [index, { meter }] of fleet.meters.entries()) {
    for (let day = test.from; day <= test.to; day++) {
      const score = scores[index]?.[day] ?? Number.NaN;
      if (Number.isNaN(score)) continue;
      const theft = theftOn(labels, meter, day);
      judged.scores.push(score);
      judged.labels.push(theft === undefined ? 0 : 1);
      judged.types.push(theft?.type ?? '');
    }
  }
  return judged;
}

/** Each kind of theft against all honest days. */
export function measure({ scores, labels, types }: JudgedDays): Measures {
  const kinds = [...new Set(types.filter((type) => type !== ''))].sort();
  const perAttack = kinds.map((kind) => {
    const kept = types.flatMap((type, index) => (type === '' || type === kind ? [index] : []));
    const part = { scores: kept.map((at) => scores[at] as number), labels: kept.map((at) => labels[at] as number) };
    return [kind, { auc: areaUnderRoc(part), ap: averagePrecision(part) }] as const;
  });
  return {
    auc: areaUnderRoc({ scores, labels }),
    ap: averagePrecision({ scores, labels }),
    per_attack: Object.fromEntries(perAttack),
  };
}
