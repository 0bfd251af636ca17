import { expect, test } from 'vitest';
import { createWriteBudget } from './write-budget.js';

test('over its budget the window widens until the rate fits, stays within its bound, and narrows again', () => {
  const budget = createWriteBudget({ bytesPerDay: 1_000, windowMs: 20 });
  const after = (lastDay: number, perDay: number) => {
    budget.update({ lastDay, perDay });
    return budget.windowMs;
  };
  expect(after(900, 5_000)).toBe(20);
  expect([after(1_100, 5_000), after(1_200, 4_000), after(1_300, 900), after(1_300, 900)]).toEqual([40, 80, 80, 80]);
  for (let n = 0; n < 4; n += 1) after(1_300, 2_000);
  expect(after(1_300, 2_000)).toBe(1_000);
  expect([after(1_300, 700), after(900, 990), after(900, 990), after(900, 990)]).toEqual([500, 250, 125, 62]);
});

test('who never waits does so only over the budget', () => {
  const budget = createWriteBudget({ bytesPerDay: 1_000, windowMs: 0 });
  budget.update({ lastDay: 2_000, perDay: 2_000 });
  expect(budget.windowMs).toBe(20);
  for (let n = 0; n < 9; n += 1) budget.update({ lastDay: 500, perDay: 500 });
  expect(budget.windowMs).toBe(0);
});
