import type { MeterSeries } from '../../series.js';
import type { Place } from '../../window/calendar.js';
import { createSource, type SampleSource } from '../samples.js';
import type { ForecastShape } from '../series-history.js';
import type { Baseline } from './baseline.js';
import { trainTrees } from './trees.js';

export interface YardstickOptions {
  readonly trees?: true;
  readonly plainLstm?: true;
}

/** What a yardstick that is trained on many meters may learn from. */
export interface Schooling {
  readonly sources: readonly SampleSource[];
  readonly shape: ForecastShape;
  readonly seed: number;
  readonly place: Place | undefined;
  readonly tell: (line: string) => void;
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
  if (plainLstm === true) {
    // TensorFlow.js stays out of whoever does not ask for it.
    const { trainPlainLstm } = await import('./plain-lstm.js');
    trained.push(await trainPlainLstm(schooling));
  }
  return trained;
}
