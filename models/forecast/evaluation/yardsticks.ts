import type { MeterSeries } from '../../series.js';
import { createSource } from '../samples.js';
import type { Baseline } from './baseline.js';
import type { Schooling } from './schooling.js';
import { trainTrees } from './trees.js';

export interface YardstickOptions {
  readonly trees?: true;
  /** In so many batches; true = as many as the documented figures. */
  readonly plainLstm?: true | number;
}

/** Those that were asked for; none sees more of the meters than the forecaster does. */
export async function trainYardsticks(
  { trees, plainLstm }: YardstickOptions,
  { meters, ...about }: Omit<Schooling, 'sources'> & { readonly meters: readonly MeterSeries[] },
): Promise<readonly Baseline[]> {
  if (trees === undefined && plainLstm === undefined) return [];
  const sources = meters.map((one) => createSource(one, about.shape)).filter(({ origins }) => origins.length > 0);
  if (sources.length === 0) return [];
  const schooling = { ...about, sources };
  const trained: Baseline[] = [];
  if (trees === true) trained.push(trainTrees(schooling));
  if (plainLstm !== undefined) {
    // TensorFlow.js stays out of whoever does not ask for it.
    const { trainPlainLstm } = await import('./plain-lstm.js');
    trained.push(await trainPlainLstm(schooling, plainLstm === true ? undefined : plainLstm));
  }
  return trained;
}
