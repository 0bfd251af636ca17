import { checkGolden, type Golden } from '../bundle/golden.js';
import type { Precision } from '../forecast/network.js';
import { predictWith, type Serving } from '../forecaster.js';

/**
 * What our engine answered, once ONNX Runtime, which knows nothing of it, has answered the same from the files; throws
 * `bundle.golden_mismatch` otherwise.
 */
export async function confirmed(
  bundle: { readonly version: string; readonly golden: Golden },
  models: Readonly<Record<Precision, Uint8Array>>,
  serving: Serving,
): Promise<Golden> {
  const { openOnnxNetwork } = await import('./session.js');
  for (const precision of ['int8', 'float32'] as const) {
    const network = await openOnnxNetwork(models[precision], serving.shape);
    try {
      await checkGolden(bundle, { precision, predict: predictWith(network, serving) });
    } finally {
      await network.close();
    }
  }
  return bundle.golden;
}
