import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ANOMALY_TYPES } from './anomaly.js';
import { DISK_STEPS, WRITE_CAUSES } from './disk.js';
import { FLAG_NAMES } from './flags.js';
import { createBuckets, createNumbers, type Labels, type MetricJson, type Series } from './metric-series.js';
import { MQTT_REFUSALS, type MqttRefusal } from './refusal.js';
import { REJECT_REASONS, type RejectReason } from './rejection.js';
import { STREAM_NAMES } from './stored.js';
import { EVIDENCE, type Evidence } from './trust.js';

interface Definition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Name of each label and the values it may have; ANY for values known only while running. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly buckets?: readonly number[];
}

const ANY: readonly string[] = [];
const THREADS = ['main', 'companion'] as const;
const WITNESSES = Object.keys(EVIDENCE) as readonly Evidence[];
const REFUSALS = Object.keys(MQTT_REFUSALS) as readonly MqttRefusal[];
const REASONS = Object.keys(REJECT_REASONS) as readonly RejectReason[];

/** Every metric of the gateway, without its prefix `wattwarden_`. The unit stands last; a counter ends in `_total`. */
export const METRICS = {
  readings_stored_total: { type: 'counter', help: 'Readings committed to the buffer.', labels: {} },
  readings_rejected_total: {
    type: 'counter',
    help: 'Readings refused and kept aside, by reason.',
    labels: { reason: REASONS },
  },
  commit_seconds: {
    type: 'histogram',
    help: 'Duration of one group commit, sync to disk included.',
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  clock_info: {
    type: 'gauge',
    help: 'Whether the time rests on this evidence, 1 or 0; all 0 while the time is not known.',
    labels: { by: WITNESSES },
  },
  clock_machine_ahead_seconds: {
    type: 'gauge',
    help: 'How far the clock of the machine is ahead of the time of the gateway.',
    labels: {},
  },
  clock_held_readings: { type: 'gauge', help: 'Readings that wait for the time to become known.', labels: {} },
  clock_steps_total: { type: 'counter', help: 'How often somebody set the clock of the machine.', labels: {} },
  slots_closed_total: { type: 'counter', help: 'Slots closed or revised.', labels: {} },
  slot_packings_total: { type: 'counter', help: 'Finished days of meters packed.', labels: {} },
  forecasts_total: { type: 'counter', help: 'Forecasts stored.', labels: {} },
  forecast_actuals_total: {
    type: 'counter',
    help: 'Loads that came after a forecast, by whether its 90 % band held them.',
    labels: { band: ['inside', 'outside'] },
  },
  anomalies_total: { type: 'counter', help: 'Anomalies stored, by type.', labels: { type: ANOMALY_TYPES } },
  push_rows_total: { type: 'counter', help: 'Rows the centre has accepted.', labels: { stream: STREAM_NAMES } },
  push_rows_rejected_total: {
    type: 'counter',
    help: 'Rows that the centre would not have; they are set aside.',
    labels: { stream: STREAM_NAMES },
  },
  backlog_rows: { type: 'gauge', help: 'Rows the centre has not accepted yet.', labels: { stream: STREAM_NAMES } },
  buffer_file_bytes: { type: 'gauge', help: 'Size of the buffer file and its write-ahead log.', labels: {} },
  buffer_replaced_total: {
    type: 'counter',
    help: 'Damaged buffer files that a new one took the place of.',
    labels: {},
  },
  buffer_checks_total: {
    type: 'counter',
    help: 'Checks of the whole buffer file after a stop that was not clean.',
    labels: { result: ['whole', 'damaged'] },
  },
  buffer_salvaged_rows_total: {
    type: 'counter',
    help: 'Rows of a damaged file that are stored again.',
    labels: { table: ANY },
  },
  buffer_lost_rows_total: {
    type: 'counter',
    help: 'Rows of a damaged file that could not be read; a gap whose rows cannot be counted counts as one.',
    labels: { table: ANY },
  },
  buffer_aside_removed_total: {
    type: 'counter',
    help: 'Damaged files deleted because of newer ones, by whether they had gaps.',
    labels: { was: ['whole', 'gaps'] },
  },
  buffer_unsalvaged_files: { type: 'gauge', help: 'Damaged files that wait to be salvaged.', labels: {} },
  buffer_wal_bytes: { type: 'gauge', help: 'Size of the write-ahead log of the buffer alone.', labels: {} },
  checkpoints_total: {
    type: 'counter',
    help: 'Times the write-ahead log was moved into the file: by its thread, or by the writer in its place.',
    labels: { by: ['thread', 'writer'] },
  },
  checkpoints_held_total: {
    type: 'counter',
    help: 'Times a reader of old content kept the write-ahead log from beginning anew.',
    labels: {},
  },
  disk_usable_bytes: {
    type: 'gauge',
    help: 'What can be written before the disk or the bound of the buffer is full, room inside the file included.',
    labels: {},
  },
  disk_steps_total: {
    type: 'counter',
    help: 'Steps entered on the ladder of a full disk.',
    labels: { step: DISK_STEPS },
  },
  disk_step_info: {
    type: 'gauge',
    help: 'Where that ladder stands: 1 for one of its steps, 0 for the others.',
    labels: { step: DISK_STEPS },
  },
  disk_relief_rows_total: {
    type: 'counter',
    help: 'Readings deleted for want of room: that the centre had, or that were thinned into their slots.',
    labels: { step: ['dropping', 'thinning'] },
  },
  disk_written_bytes_total: {
    type: 'counter',
    help: 'Bytes written to the disk for the buffer, by cause.',
    labels: { cause: WRITE_CAUSES },
  },
  disk_autonomy_seconds: {
    type: 'gauge',
    help: 'How long the buffer lasts at the present rate before readings are thinned that the centre does not have.',
    labels: {},
  },
  card_life_seconds: {
    type: 'gauge',
    help: 'How long the card lasts at the present rate of writing, by `buffer.card_endurance_tb`.',
    labels: {},
  },
  commit_window_seconds: {
    type: 'gauge',
    help: 'Longest wait for more readings before a commit; longer while the daily budget of bytes is overrun.',
    labels: {},
  },
  meters_silent: { type: 'gauge', help: 'Registered meters that have sent nothing for too long.', labels: {} },
  readings_flagged_total: {
    type: 'counter',
    help: 'Readings stored with a flag, by flag.',
    labels: { flag: FLAG_NAMES },
  },
  mqtt_connections: { type: 'gauge', help: 'Clients connected to the embedded broker.', labels: {} },
  source_connections: { type: 'gauge', help: 'Connections to the broker of `source`: 1 or 0.', labels: {} },
  source_ignored_total: {
    type: 'counter',
    help: 'Messages of the broker of `source` that are no new reading: replayed by it, or of no known feed.',
    labels: { why: ['retained', 'no_feed'] },
  },
  mqtt_refused_total: {
    type: 'counter',
    help: 'Connections, packets and messages that the embedded broker turned away, by reason.',
    labels: { reason: REFUSALS },
  },
  mqtt_reloads_total: {
    type: 'counter',
    help: 'Files of the embedded broker that changed: read again, or broken and not used.',
    labels: { file: ['certificate', 'users'], result: ['used', 'broken'] },
  },
  mqtt_certificate_ends_seconds: {
    type: 'gauge',
    help: 'When the certificate of the embedded broker ends, in seconds since 1970.',
    labels: {},
  },
  mqtt_retained_messages: { type: 'gauge', help: 'Retained messages in the embedded broker.', labels: {} },
  mqtt_absent_sessions: { type: 'gauge', help: 'Sessions of clients that are not connected.', labels: {} },
  mqtt_queued_bytes: { type: 'gauge', help: 'Memory of the messages that wait for subscribers.', labels: {} },
  loop_failures_total: { type: 'counter', help: 'Failed turns of a supervised loop.', labels: { loop: ANY } },
  thread_restarts_total: { type: 'counter', help: 'Worker threads started again.', labels: { thread: THREADS } },
  thread_answers: {
    type: 'gauge',
    help: 'Whether a thread gave its part of these metrics, 1 or 0.',
    labels: { thread: THREADS },
  },
  event_loop_delay_seconds: {
    type: 'gauge',
    help: 'Delay of the event loop over the last minute at most, median, 99th percentile and longest.',
    labels: { thread: THREADS, delay: ['median', 'p99', 'longest'] },
  },
  resident_memory_bytes: { type: 'gauge', help: 'Memory of the whole process.', labels: {} },
  http_requests_total: { type: 'counter', help: 'HTTP requests answered.', labels: { route: ANY, status: ANY } },
  http_request_seconds: {
    type: 'histogram',
    help: 'Duration of HTTP requests.',
    labels: { route: ANY },
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5],
  },
  build_info: { type: 'gauge', help: 'Always 1; its labels say what runs.', labels: { version: ANY, node: ANY } },
} as const satisfies Record<string, Definition>;

export const METRIC_PREFIX = 'wattwarden_';

type Table = typeof METRICS;
export type MetricName = keyof Table;
export type ThreadName = (typeof THREADS)[number];
type NameOf<Type> = { [Name in MetricName]: Table[Name]['type'] extends Type ? Name : never }[MetricName];
type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof Table[Name]['labels']]: Table[Name]['labels'][Label] extends readonly (infer Value)[]
    ? Value
    : never;
};
type Given<Name extends MetricName> = keyof Table[Name]['labels'] extends never
  ? [value: number]
  : [value: number, labels: LabelsOf<Name>];

/** One thread's metrics. What it never touches it reports as zero (counters) or not at all (gauges). */
export interface Metrics {
  inc<Name extends NameOf<'counter'>>(name: Name, ...given: Given<Name>): void;
  set<Name extends NameOf<'gauge'>>(name: Name, ...given: Given<Name>): void;
  observe<Name extends NameOf<'histogram'>>(name: Name, ...given: Given<Name>): void;
  /** Runs before each reading of the metrics, for values that are cheaper to look up than to keep. */
  beforeRead(look: () => void): void;
  toJson(): Promise<readonly MetricJson[]>;
}

export function createMetrics(): Metrics {
  const looks: (() => void)[] = [];
  const series = new Map<string, Series>();
  for (const [name, definition] of Object.entries<Definition>(METRICS)) {
    const { type, labels, buckets = [] } = definition;
    const one = type === 'histogram' ? createBuckets(METRIC_PREFIX + name, buckets) : createNumbers();
    if (type === 'counter') for (const known of knownLabels(definition)) one.add(known, 0);
    // What has no labels and was never observed is still a distribution of nothing.
    if (type === 'histogram' && Object.keys(labels).length === 0) one.touch({});
    series.set(name, one);
  }

  return {
    inc: (name, ...[value, labels = {}]) => series.get(name)?.add(labels as Labels, value),
    set: (name, ...[value, labels = {}]) => series.get(name)?.set(labels as Labels, value),
    observe: (name, ...[value, labels = {}]) => series.get(name)?.add(labels as Labels, value),
    beforeRead(look) {
      looks.push(look);
    },
    async toJson() {
      for (const look of looks) look();
      return Object.entries<Definition>(METRICS).map(([name, { type, help }]) => ({
        name: METRIC_PREFIX + name,
        help,
        type,
        // Threads that report the same gauge with the same labels say the same thing, so that a sum would be wrong.
        aggregator: type === 'gauge' ? ('max' as const) : ('sum' as const),
        values: series.get(name)?.values() ?? [],
      }));
    },
  };
}

/** Every combination of labels that is known beforehand: a rate needs a zero to start from. */
function knownLabels({ labels }: Definition): Record<string, string>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    combinations = combinations.flatMap((given) => values.map((value) => ({ ...given, [label]: value })));
  }
  return combinations;
}

const DELAY_RESOLUTION_MS = 10;
const DELAY_WINDOW_MS = 60_000;

/** Watches the event loop of the thread that calls it. */
export function openEventLoopWatch(thread: ThreadName, metrics: Metrics): { close(): void } {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  let sinceMs = performance.now();
  metrics.beforeRead(() => {
    if (delay.count === 0) return;
    // The histogram holds the time between two ticks of its own timer, the timer's period included.
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - DELAY_RESOLUTION_MS / 1e3);
    metrics.set('event_loop_delay_seconds', seconds(delay.percentile(50)), { thread, delay: 'median' });
    metrics.set('event_loop_delay_seconds', seconds(delay.percentile(99)), { thread, delay: 'p99' });
    metrics.set('event_loop_delay_seconds', seconds(delay.max), { thread, delay: 'longest' });
    // By time and not by reading: several readers must not take each other's maximum away.
    if (performance.now() - sinceMs < DELAY_WINDOW_MS) return;
    delay.reset();
    sinceMs = performance.now();
  });
  return { close: () => delay.disable() };
}
