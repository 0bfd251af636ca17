/** As prom-client's aggregator takes one metric; survives `postMessage`. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum' | 'max';
  readonly values: readonly {
    readonly value: number;
    readonly labels: Labels;
    readonly metricName?: string;
  }[];
}

export type Labels = Readonly<Record<string, string | number>>;

/** What one metric counts, by its labels. The library that writes the text of all threads is loaded where it does so. */
export interface Series {
  add(labels: Labels, value: number): void;
  set(labels: Labels, value: number): void;
  /** Nothing yet, but it is there. */
  touch(labels: Labels): void;
  values(): MetricJson['values'];
}

// A label value comes from our own code, never from a meter; the bound only keeps a mistake from filling the memory.
const MAX_SERIES = 200;

function createCells<Cell>(make: () => Cell) {
  const cells = new Map<string, { readonly labels: Labels; readonly cell: Cell }>();
  return {
    of(labels: Labels): { cell: Cell } {
      const key = Object.values(labels).join('\n');
      const known = cells.get(key);
      if (known !== undefined) return known;
      const isFull = cells.size >= MAX_SERIES;
      const kept = isFull ? Object.fromEntries(Object.keys(labels).map((label) => [label, 'other'])) : labels;
      const keptKey = isFull ? Object.values(kept).join('\n') : key;
      const fresh = cells.get(keptKey) ?? { labels: kept, cell: make() };
      cells.set(keptKey, fresh);
      return fresh;
    },
    all: () => [...cells.values()],
  };
}

export function createNumbers(): Series {
  const cells = createCells(() => ({ value: 0 }));
  return {
    add(labels, value) {
      cells.of(labels).cell.value += value;
    },
    set(labels, value) {
      cells.of(labels).cell.value = value;
    },
    touch(labels) {
      cells.of(labels);
    },
    values: () => cells.all().map(({ labels, cell: { value } }) => ({ value, labels })),
  };
}

/** `add` observes a value. */
export function createBuckets(name: string, bounds: readonly number[]): Series {
  const cells = createCells(() => ({ counts: new Float64Array(bounds.length + 1), sum: 0 }));
  const observe = (labels: Labels, value: number): void => {
    const { cell } = cells.of(labels);
    const bucket = bounds.findIndex((bound) => value <= bound);
    const at = bucket === -1 ? bounds.length : bucket;
    cell.counts[at] = (cell.counts[at] ?? 0) + 1;
    cell.sum += value;
  };
  return {
    add: observe,
    set: observe,
    touch(labels) {
      cells.of(labels);
    },
    values: () =>
      cells.all().flatMap(({ labels, cell: { counts, sum } }) => {
        let count = 0;
        const buckets = [...counts].map((more, index) => {
          count += more;
          return { value: count, labels: { le: bounds[index] ?? '+Inf', ...labels }, metricName: `${name}_bucket` };
        });
        return [
          ...buckets,
          { value: sum, labels, metricName: `${name}_sum` },
          { value: count, labels, metricName: `${name}_count` },
        ];
      }),
  };
}
