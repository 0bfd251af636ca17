import type { Place } from '../../window/calendar.js';
import type { SampleSource } from '../samples.js';
import type { ForecastShape } from '../series-history.js';

/** What a yardstick that is trained on many meters may learn from. */
export interface Schooling {
  readonly sources: readonly SampleSource[];
  readonly shape: ForecastShape;
  readonly seed: number;
  readonly place: Place | undefined;
  readonly tell: (line: string) => void;
}
