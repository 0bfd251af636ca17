import type { Bench } from './bench.js';

/** Each is loaded when it is asked for: what one needs, another installation of packages may not have. */
export const BENCHES = {
  ingest: async () => (await import('./ingest.js')).ingest,
  buffer: async () => (await import('./buffer.js')).buffer,
  footprint: async () => (await import('./footprint.js')).footprint,
  forecast: async () => (await import('./forecast.js')).forecast,
  fraud: async () => (await import('./fraud.js')).fraud,
} as const satisfies Record<string, () => Promise<Bench>>;

export type BenchName = keyof typeof BENCHES;
