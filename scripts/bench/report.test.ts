import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepFigures } from './kept-figures.js';
import { tableOf } from './report.js';
import { median, quantile } from './statistics.js';

test('medians and quantiles', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5);
});

test('the table says which goals are missed', () => {
  const figures = { metrics: { a_ms: 12.345, b_rps: 61_234.5, c_mb: 3 }, ratios: { a_vs_b: 0.5 } };
  const table = tableOf(figures, { a_ms: { atMost: 10 }, b_rps: { atLeast: 60_000 }, a_vs_b: { atLeast: 0.5 } });
  expect(table.split('\n')).toEqual([
    'a_ms      12.3  ≤ 10      missed',
    'b_rps   61,235  ≥ 60,000  met',
    'c_mb         3',
    'a_vs_b     0.5  ≥ 0.5     met',
  ]);
});

test('kept figures replace the ones before and nothing else', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ww-kept-'));
  try {
    const page = join(dir, 'page.md');
    writeFileSync(page, '# Page\n\nWords before.\n');
    const kept = { command: 'npm run bench', notes: [], at: new Date(0), project: process.cwd() };
    keepFigures(page, { ...kept, name: 'one', table: 'first table' });
    keepFigures(page, { ...kept, name: 'two', table: 'of two' });
    writeFileSync(page, `${readFileSync(page, 'utf8')}\nWords after.\n`);
    keepFigures(page, { ...kept, name: 'one', table: 'second table' });
    const text = readFileSync(page, 'utf8');
    expect(text).not.toContain('first table');
    const order = ['Words before.', '## one', 'on 1970-01-01', 'second table', '## two', 'of two', 'Words after.'];
    expect(order.map((words) => text.indexOf(words))).toEqual(
      order.map((words) => text.indexOf(words)).sort((a, b) => a - b),
    );
    for (const words of order) expect(text).toContain(words);
    expect(text).toMatch(/Node\.js [\d.]+, aedes \d[^ ,]*, mqtt \d[^ ,]*, better-sqlite3 \d[^ ,]*, pg \d/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
