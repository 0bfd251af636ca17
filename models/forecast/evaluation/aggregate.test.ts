import { expect, test } from 'vitest';
import { createAggregate, joinAggregates } from './aggregate.js';

/** Slots of two meters one after the other: their actuals, and what one method said of each. */
function aggregateOf(slots: readonly { actuals: readonly number[]; forecasts: readonly number[] }[], meters = 2) {
  const aggregate = createAggregate({ methods: ['model'], meters, steps: 1 });
  for (const [origin, { actuals, forecasts }] of slots.entries()) {
    for (const [meter, actual] of actuals.entries()) {
      aggregate.add(origin, 0, { actual, forecasts: [forecasts[meter] as number] });
    }
  }
  return aggregate.scores();
}

test('errors of single meters that cancel out are none of their sum', () => {
  const scores = aggregateOf([
    { actuals: [100, 300], forecasts: [200, 200] },
    { actuals: [500, 300], forecasts: [400, 500] },
  ]);
  expect(scores).toEqual({ model: { mae: 50, rmse: Math.sqrt(5_000), mape: 0.0625, r2: 1 - 10_000 / 80_000 } });
});

test('a sum that comes near zero has no MAPE', () => {
  const { model } = aggregateOf([
    { actuals: [0, 10], forecasts: [0, 0] },
    { actuals: [500, 300], forecasts: [400, 500] },
  ]);
  expect(model?.mae).toBe(55);
  expect(model).not.toHaveProperty('mape');
});

test('slots at which meters are missing are left out', () => {
  const whole = { actuals: [100, 300], forecasts: [200, 200] };
  const half = { actuals: [100], forecasts: [900] };
  expect(aggregateOf([whole, half, whole])).toEqual(aggregateOf([whole, whole]));
  expect(aggregateOf([half])).toEqual({});
});

test('steps are summed apart', () => {
  const aggregate = createAggregate({ methods: ['model'], meters: 1, steps: 2 });
  aggregate.add(0, 0, { actual: 100, forecasts: [90] });
  aggregate.add(0, 1, { actual: 200, forecasts: [170] });
  expect(aggregate.scores()['model']?.mae).toBe(20);
});

test('parts count the same, and MAPE only where every part has one', () => {
  const [one, two] = [
    { mae: 10, rmse: 20, mape: 0.1, r2: 0.5 },
    { mae: 30, rmse: 40, mape: 0.3, r2: 0.7 },
  ];
  expect(joinAggregates([{ model: one }, { model: two }])['model']).toMatchObject({ mae: 20, rmse: 30, mape: 0.2 });
  const { mape: _, ...without } = two;
  expect(joinAggregates([{ model: one }, { model: without }])['model']).not.toHaveProperty('mape');
});
