import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import { expect, test } from 'vitest';
import { createMetrics, METRIC_PREFIX, METRICS, openEventLoopWatch } from './metrics.js';

// The parts' type is prom-client's own once they are back from JSON.
type Part = MetricObjectWithValues<MetricValue<string>>[];
const merged = async (...parts: (readonly object[])[]) =>
  await AggregatorRegistry.aggregate(parts.map((part) => structuredClone(part) as Part)).metrics();

const UNITS = [
  'readings',
  'messages',
  'sessions',
  'seconds',
  'bytes',
  'rows',
  'files',
  'connections',
  'answers',
  'info',
  'silent',
];

test.each(Object.entries(METRICS))('%s follows the rules of Prometheus', (name, { type, help, labels }) => {
  expect(METRIC_PREFIX + name).toMatch(/^[a-z][a-z0-9_]*[a-z]$/);
  expect(help).toMatch(/^[A-Z].{10,}\.$/);
  expect(name.endsWith('_total')).toBe(type === 'counter');
  if (type !== 'counter') expect(UNITS).toContain(name.split('_').at(-1));
  for (const label of Object.keys(labels)) {
    expect(label).toMatch(/^[a-z][a-z_]*$/);
    expect(['le', 'job', 'instance']).not.toContain(label);
  }
});

test('counters of several threads add up, a gauge is what one thread says, and what nobody set is absent', async () => {
  const [main, outward] = [createMetrics(), createMetrics()];
  main.inc('readings_stored_total', 7);
  outward.inc('readings_stored_total', 5);
  main.inc('readings_rejected_total', 2, { reason: 'duplicate' });
  for (const metrics of [main, outward]) metrics.set('build_info', 1, { version: '1.2.3', node: '20' });
  main.set('mqtt_connections', 4);
  main.observe('commit_seconds', 0.004);
  outward.observe('commit_seconds', 3);

  const text = await merged(await main.toJson(), await outward.toJson());
  expect(text).toContain('# TYPE wattwarden_readings_stored_total counter\nwattwarden_readings_stored_total 12\n');
  expect(text).toContain('wattwarden_readings_rejected_total{reason="duplicate"} 2\n');
  expect(text).toContain('wattwarden_readings_rejected_total{reason="not_json"} 0\n');
  expect(text).toContain('wattwarden_build_info{version="1.2.3",node="20"} 1\n');
  expect(text).toContain('wattwarden_mqtt_connections 4\n');
  expect(text).toContain('wattwarden_commit_seconds_bucket{le="0.005"} 1\n');
  expect(text).toContain('wattwarden_commit_seconds_count 2\n');
  expect(text).not.toMatch(/^wattwarden_buffer_file_bytes /m);
});

test('a label that takes ever new values ends in one series called other', async () => {
  const metrics = createMetrics();
  for (let i = 0; i < 1_000; i += 1) metrics.inc('loop_failures_total', 1, { loop: `loop-${i}` });
  const text = await merged(await metrics.toJson());
  expect(text.match(/^wattwarden_loop_failures_total\{/gm)).toHaveLength(201);
  expect(text).toContain('wattwarden_loop_failures_total{loop="other"} 800\n');
});

test('a blocked event loop shows', async () => {
  const metrics = createMetrics();
  const watch = openEventLoopWatch('main', metrics);
  const longestS = async () => {
    const text = await merged(await metrics.toJson());
    return Number(/event_loop_delay_seconds\{thread="main",delay="longest"\} (\S+)/.exec(text)?.[1] ?? -1);
  };
  const block = () => {
    for (const until = performance.now() + 200; performance.now() < until; );
  };
  // A block is seen between two ticks of the watch, so the first one must have happened.
  await expect.poll(longestS, { timeout: 5_000 }).toBeGreaterThanOrEqual(0);
  block();
  await expect.poll(longestS, { timeout: 5_000 }).toBeGreaterThan(0.15);
  watch.close();
});
