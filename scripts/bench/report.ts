import type { Bench, Figures, Goal } from './bench.js';

/** One line for each figure: what it is, what was asked for, whether that is met. */
export function tableOf({ metrics, ratios }: Figures, goals: Bench['goals']): string {
  const lines = [...Object.entries(metrics), ...Object.entries(ratios)].map(([name, value]) => [
    name,
    shown(value),
    wordsOf(goals[name]),
    verdictOn(value, goals[name]),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(([name = '', value = '', goal = '', verdict = '']) =>
      [name.padEnd(widths[0] ?? 0), value.padStart(widths[1] ?? 0), goal.padEnd(widths[2] ?? 0), verdict]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdownOf({ metrics, ratios }: Figures, goals: Bench['goals']): string {
  const rows = [...Object.entries(metrics), ...Object.entries(ratios)].map(
    ([name, value]) => `| \`${name}\` | ${shown(value)} | ${wordsOf(goals[name])} | ${verdictOn(value, goals[name])} |`,
  );
  return ['| figure | measured | goal | |', '|---|---:|---|---|', ...rows].join('\n');
}

/** Three digits that mean something are more than a shared machine can promise. */
const shown = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

function wordsOf(goal: Goal | undefined): string {
  if (goal?.atMost !== undefined) return `≤ ${goal.atMost.toLocaleString('en')}`;
  return goal?.atLeast === undefined ? '' : `≥ ${goal.atLeast.toLocaleString('en')}`;
}

function verdictOn(value: number, goal: Goal | undefined): string {
  if (goal === undefined) return '';
  const met = value <= (goal.atMost ?? Number.POSITIVE_INFINITY) && value >= (goal.atLeast ?? Number.NEGATIVE_INFINITY);
  return met ? 'met' : 'missed';
}
