import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import type { Metrics } from '../domain/metrics.js';
import type { LiveSource } from './source.js';

type Part = MetricObjectWithValues<MetricValue<string>>[];

interface Parts {
  readonly live: LiveSource;
  readonly metrics: Metrics;
}

export const METRICS_CONTENT_TYPE = AggregatorRegistry.PROMETHEUS_CONTENT_TYPE;

/** The metrics of all threads as one text. A thread that does not answer is missing from it, and says so. */
export async function metricsText({ live, metrics }: Parts): Promise<string> {
  const view = await live.view().catch(() => undefined);
  const main = view?.metrics ?? [];
  metrics.set('thread_answers', main.length === 0 ? 0 : 1, { thread: 'main' });
  metrics.set('thread_answers', 1, { thread: 'companion' });
  metrics.set('resident_memory_bytes', process.memoryUsage.rss());

  // Each part is what another thread's prom-client gave; the messages between threads do not repeat its types.
  return await AggregatorRegistry.aggregate([await metrics.toJson(), main].map((part) => part as Part)).metrics();
}
