import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { checkGolden } from '../bundle/golden.js';
import { readBundle } from '../bundle/read.js';
import { BASELINES } from '../forecast/evaluation/baselines.js';
import { evaluate } from '../forecast/evaluation/evaluate.js';
import { usualGroups } from '../forecast/evaluation/groups.js';
import { horizonsFor, slotsPerDay } from '../forecast/horizons.js';
import { LEARNING_CURVE } from '../forecast/plots/learning-curve.js';
import { createSeriesHistory } from '../forecast/series-history.js';
import { scoreDay } from '../fraud/day-model.js';
import { gatherFleetEvidence } from '../fraud/features/fleet-evidence.js';
import { fleetOfSeries } from '../fraud/fleet-of-series.js';
import type { FleetPower } from '../fraud/fleet-power.js';
import { withReport } from '../fraud/generated-fleet.js';
import { openForecaster } from '../forecaster.js';
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
  for (const name of [...PLOTS.map(({ file }) => file), LEARNING_CURVE]) {
    expect(bundle.manifest.files).toHaveProperty([name]);
  }
  for (const methods of Object.values(bundle.manifest.evaluation.horizons)) {
    expect(Object.keys(methods)).toEqual(['model', ...BASELINES.map(({ name }) => name)]);
  }
  for (const precision of ['int8', 'float32'] as const) {
    const forecaster = await openForecaster(bundle, precision);
    await checkGolden(bundle, forecaster);
    await forecaster.close();
  }
});

test.each(WIDTHS)('its model of days at %i minutes puts a bypass above every day of honest homes it has not seen', async (slotMinutes) => {
  const startMs = epochMs(Date.UTC(2024, 0, 1));
  const homes = simulateHomes({ homes: 6, days: 70, seed: 4_712, startMs, slotMinutes });
  const honest = fleetOfSeries(homes, slotMinutes * 60_000);
  const { days } = (await shipped(slotMinutes)).theft;
  if (days === undefined) throw new Error('no model of days');
  const scoresOf = (fleet: FleetPower, meter: number) => {
    const evidence = gatherFleetEvidence(fleet);
    const rows = Array.from({ length: fleet.days }, (_, day) => evidence.row(meter, day));
    return rows.filter((row) => row !== undefined).map((row) => scoreDay(days, row).score);
  };
  const usual = honest.meters.flatMap((_, meter) => scoresOf(honest, meter));
  expect(usual.length).toBeGreaterThan(100);
  const stolen = withReport(honest, 1, { fromDay: 60, report: (watts) => watts * 0.1 });
  expect(scoresOf(stolen, 1).at(-1)).toBeGreaterThan(Math.max(...usual));
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
