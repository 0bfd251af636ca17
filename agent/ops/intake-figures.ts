import { flagsOf } from '../domain/flags.js';
import type { Metrics } from '../domain/metrics.js';
import type { Reading } from '../domain/reading.js';
import type { MqttRefusal } from '../domain/refusal.js';
import type { Rejected } from '../domain/rejection.js';

interface Stored {
  readonly readings: readonly Reading[];
  readonly rejected: readonly Rejected[];
}

/** The taps; agent/ingest fits it. */
interface Taps {
  readonly connections: number;
  readonly figures:
    | {
        readonly absentSessions: number;
        readonly queuedBytes: number;
        readonly retained: number;
        readonly certificateValidUntilMs: number | null;
      }
    | undefined;
}

export interface IntakeFigures {
  stored(stored: Stored, inMs: number): void;
  report(taps: Taps): void;
  readonly events: {
    refused(reason: MqttRefusal): void;
    reloaded(file: 'certificate' | 'users', fine: boolean): void;
    readonly source: {
      connected(is: boolean): void;
      ignored(why: 'retained' | 'no_feed'): void;
      failed(): void;
    };
  };
}

/** What comes in, and what is turned away, as metrics. */
export function createIntakeFigures(metrics: Metrics): IntakeFigures {
  return {
    stored({ readings, rejected }, inMs) {
      metrics.observe('commit_seconds', inMs / 1_000);
      metrics.inc('readings_stored_total', readings.length);
      for (const { flags } of readings) {
        if (flags === 0) continue; // nearly every reading
        for (const flag of flagsOf(flags)) metrics.inc('readings_flagged_total', 1, { flag });
      }
      for (const { reason } of rejected) metrics.inc('readings_rejected_total', 1, { reason });
    },
    report({ connections, figures }) {
      metrics.set('mqtt_connections', connections);
      if (figures === undefined) return;
      metrics.set('mqtt_absent_sessions', figures.absentSessions);
      metrics.set('mqtt_queued_bytes', figures.queuedBytes);
      metrics.set('mqtt_retained_messages', figures.retained);
      if (figures.certificateValidUntilMs === null) return;
      metrics.set('mqtt_certificate_ends_seconds', Math.round(figures.certificateValidUntilMs / 1_000));
    },
    events: {
      refused: (reason) => metrics.inc('mqtt_refused_total', 1, { reason }),
      reloaded: (file, fine) => metrics.inc('mqtt_reloads_total', 1, { file, result: fine ? 'used' : 'broken' }),
      source: {
        connected: (is) => metrics.set('source_connections', is ? 1 : 0),
        ignored: (why) => metrics.inc('source_ignored_total', 1, { why }),
        failed: () => metrics.inc('loop_failures_total', 1, { loop: 'source' }),
      },
    },
  };
}
