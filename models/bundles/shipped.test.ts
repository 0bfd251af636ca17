import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { checkGolden } from '../bundle/golden.js';
import { readBundle } from '../bundle/read.js';
import { BASELINES } from '../forecast/evaluation/baselines.js';
import { evaluate } from '../forecast/evaluation/evaluate.js';
import { usualGroups } from '../forecast/evaluation/groups.js';
import { horizonsFor, slotsPerDay } from '../forecast/horizons.js';
import { createSeriesHistory } from '../forecast/series-history.js';
import { openForecaster } from '../onnx/session.js';
import { simulateHomes } from '../simulated-homes.js';
import { PLOTS } from '../tail-evaluation.js';

const WIDTHS = [5, 30];
const shipped = (slotMinutes: number) =>
  readBundle(fileURLToPath(new URL(`./default-${slotMinutes}min`, import.meta.url)), slotMinutes);

test.each(WIDTHS)('the bundle of %i minutes is whole, small, and gives its golden outputs here', async (slotMinutes) => {
  const bundle = await shipped(slotMinutes);
  const loaded = Object.entries(bundle.manifest.files).filter(([name]) => !/\.(svg|md)$/.test(name));
  const bytes = loaded.reduce((sum, [, file]) => sum + file.bytes, bundle.manifestBytes.length);
  expect(bytes).toBeLessThanOrEqual(150 * 1_024);
  for (const { file } of PLOTS) expect(bundle.manifest.files).toHaveProperty([file]);
  for (const precision of ['int8', 'float32'] as const) {
    const forecaster = await openForecaster(bundle, precision);
    await checkGolden(bundle, forecaster);
    await forecaster.close();
  }
});

test.each(WIDTHS)('at %i minutes it beats what needs no model on homes that it has not seen, and int8 costs nothing', async (slotMinutes) => {
  const shape = { slotMinutes, horizons: horizonsFor(slotMinutes) };
  const startMs = epochMs(Date.UTC(2024, 2, 1));
  const series = simulateHomes({ homes: 12, days: 12, seed: 4_711, startMs, slotMinutes });
  const bundle = await shipped(slotMinutes);
  const groups = usualGroups(shape).map((group) => ({ ...group, stride: 7 }));
  const scores = await Promise.all(
    (['int8', 'float32'] as const).map(async (precision) => {
      const forecaster = await openForecaster(bundle, precision);
      const results = await evaluate({
        meters: series.map((one) => createSeriesHistory(one, shape)),
        testFrom: 9 * slotsPerDay(slotMinutes),
        groups,
        baselines: BASELINES.filter(({ name }) => name !== 'ridge'),
        model: forecaster,
      });
      await forecaster.close();
      return results;
    }),
  );
  const [int8, float32] = scores;
  for (const { name: horizon } of groups) {
    const { model, ...baselines } = int8?.[horizon]?.scores ?? {};
    const exact = float32?.[horizon]?.scores['model'];
    for (const { mae } of Object.values(baselines)) expect(model?.mae, horizon).toBeLessThan(mae * 1.05);
    expect(model?.mae, horizon).toBeLessThan(1.01 * (exact?.mae ?? 0));
    expect(model?.pinball, horizon).toBeLessThan(1.01 * (exact?.pinball ?? 0));
  }
}, 120_000);
