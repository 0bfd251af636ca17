import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { checkGolden } from '../bundle/golden.js';
import { readBundle } from '../bundle/read.js';
import { evaluateForecasts } from '../forecast/evaluation.js';
import { openForecaster } from '../onnx/session.js';
import { createHouseholds } from '../synthetic.js';

const SHIPPED = fileURLToPath(new URL('./default-5min', import.meta.url));

test('the shipped bundle is whole, small, and gives its golden outputs here', async () => {
  const bundle = await readBundle(SHIPPED);
  const bytes = Object.values(bundle.manifest.files).reduce((sum, file) => sum + file.bytes, bundle.manifestBytes.length);
  expect(bytes).toBeLessThanOrEqual(150 * 1_024);
  for (const precision of ['int8', 'float32'] as const) {
    const forecaster = await openForecaster(bundle, precision);
    await checkGolden(bundle, forecaster);
    await forecaster.close();
  }
});

test('on homes that it has not seen it beats persistence and the same time yesterday, and int8 costs nothing', async () => {
  const series = createHouseholds({ meters: 12, days: 4, seed: 4_711 });
  const bundle = await readBundle(SHIPPED);
  const fromMs = epochMs((series[0]?.startMs ?? 0) + WINDOW_SLOTS * 300_000);
  const scores = await Promise.all(
    (['int8', 'float32'] as const).map(async (precision) => {
      const forecaster = await openForecaster(bundle, precision);
      const { maeW } = await evaluateForecasts({ series, fromMs, predict: forecaster.predict });
      await forecaster.close();
      return maeW;
    }),
  );
  const [int8, float32] = scores;
  for (const horizon of ['1', '1-12', '24h']) {
    const { model = 0, persistence = 0, seasonalDay = 0 } = int8?.[horizon] ?? {};
    expect(model, horizon).toBeLessThan(Math.min(persistence, seasonalDay));
    expect(model, horizon).toBeLessThan(1.01 * (float32?.[horizon]?.model ?? 0));
  }
});
