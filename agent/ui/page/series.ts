import type { ForecastSpan } from '../../api/wire.js';

/** Neighbours that belong together; where something is missing a new run begins, so that no line is drawn over it. */
export function runsOf<Item>(items: readonly Item[], follows: (previous: Item, next: Item) => boolean): Item[][] {
  const runs: Item[][] = [];
  let run: Item[] = [];
  for (const item of items) {
    const previous = run.at(-1);
    if (previous === undefined || !follows(previous, item)) {
      run = [];
      runs.push(run);
    }
    run.push(item);
  }
  return runs;
}

/** A forecast speaks of the same time in several resolutions; this is the one that reaches farthest. */
export function drawnSpans(spans: readonly ForecastSpan[]): ForecastSpan[] {
  const byLength = new Map<number, ForecastSpan[]>();
  for (const span of spans) {
    const same = byLength.get(span.toMs - span.fromMs) ?? [];
    if (!same.some((other) => other.fromMs === span.fromMs)) same.push(span);
    byLength.set(span.toMs - span.fromMs, same);
  }
  const reach = (group: readonly ForecastSpan[]) => Math.max(...group.map((span) => span.toMs));
  const finestFirst = [...byLength].sort(([a], [b]) => a - b).map(([, group]) => group);
  let best: ForecastSpan[] = [];
  for (const group of finestFirst) {
    if (best.length === 0 || reach(group) > reach(best)) best = group;
  }
  return best.sort((a, b) => a.fromMs - b.fromMs);
}
