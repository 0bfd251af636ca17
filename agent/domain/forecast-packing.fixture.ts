import { invariant } from './errors.js';
import type { ForecastStep } from './forecast.js';
import { createForecastPacker } from './forecast-packing.js';

/** For tests: steps as a forecast that is stored. */
export function packSteps(steps: readonly ForecastStep[]): Uint8Array {
  const bands = Float64Array.from(steps.flatMap(({ lowW, medianW, highW }) => [lowW, medianW, highW]));
  const packer = createForecastPacker(steps);
  const packed = new Uint8Array(packer?.bytes ?? 0);
  invariant(packer?.pack(bands, packed, 0) === true, 'steps of a test can be packed');
  return packed;
}
