import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../config/schema.js';
import type { BufferOptions } from './buffer/buffer.js';
import { parseMeterId } from './domain/brand.js';
import { codeOf, invariant, messageOf, WattwardenError } from './domain/errors.js';
import type { Meter } from './domain/meter.js';
import { parseTimeZone, type TimeZone } from './domain/time-zone.js';
import type { BrokerOptions } from './ingest/broker.js';
import type { CentreSettings } from './threads/outward.js';
import type { FeedOptions } from './validate/feeds/registry.js';
import type { Rules } from './validate/validator.js';

/** What each part is told, in its own words and units; settings speak in those of the person who writes them. */

const DAY_MS = 86_400_000;

export const bufferPath = ({ gateway, buffer }: Settings): string =>
  buffer.path ?? join(gateway.data_dir, 'buffer.sqlite');
export const modelsDir = ({ gateway }: Settings): string => join(gateway.data_dir, 'models');
export const controlPath = ({ gateway }: Settings): string => join(gateway.data_dir, 'gateway.sock');

/** Its last level only: where even the parent is missing, a disk may not be mounted, and data must not go elsewhere. */
export function makeDataDir({ gateway }: Settings): void {
  try {
    mkdirSync(gateway.data_dir, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw new WattwardenError('buffer.unopenable', messageOf(error), { cause: error });
  }
}

/** The bundle that comes with the program; two levels up from dist/agent stands the installation. */
export const SHIPPED_BUNDLE = fileURLToPath(new URL('../../models/bundles/default-5min', import.meta.url));

export const bufferOptions = (settings: Settings): Omit<BufferOptions, 'clock' | 'log'> => ({
  path: bufferPath(settings),
  slotGraceMs: settings.buffer.slot_grace_s * 1_000,
  maxRejected: settings.buffer.max_rejected,
  maxRejectedBytes: settings.buffer.max_rejected_bytes,
  retentionMs: settings.buffer.retention_days * DAY_MS,
  keepUnsettled: settings.sync.enabled,
});

export const brokerOptions = ({ mqtt }: Settings): BrokerOptions => ({
  host: mqtt.host,
  port: mqtt.port,
  maxConnections: mqtt.max_connections,
  maxPending: mqtt.max_pending,
});

export const feedOptions = ({ feeds }: Settings): FeedOptions => ({
  enabled: feeds.enabled,
  custom: feeds.custom,
  zone: timeZone(feeds.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone),
});

function timeZone(name: string): TimeZone {
  const zone = parseTimeZone(name);
  invariant(zone !== undefined, 'the schema has checked the time zone');
  return zone;
}

export const validationRules = ({ mqtt, meters, validate }: Settings): Rules => ({
  maxPayloadBytes: mqtt.max_payload_bytes,
  maxAgeMs: validate.max_age_days * DAY_MS,
  maxFutureMs: validate.max_future_s * 1_000,
  register: meters.register,
  maxRegistered: meters.max_registered,
  ranges: {
    powerW: validate.power_w,
    importWh: validate.import_wh,
    exportWh: validate.export_wh,
    voltageV: validate.voltage_v,
    currentA: validate.current_a,
    powerFactor: { min: -1, max: 1 },
    frequencyHz: validate.frequency_hz,
  },
});

export const knownMeters = ({ meters }: Settings): readonly Meter[] =>
  meters.known.map(({ id, kind, feeder, rated_power_w }) => ({
    id: meterId(id),
    kind,
    ...(feeder === undefined ? {} : { feeder: meterId(feeder) }),
    ...(rated_power_w === undefined ? {} : { ratedPowerW: rated_power_w }),
  }));

function meterId(text: string) {
  const id = parseMeterId(text);
  invariant(id !== undefined, 'the schema has checked the names of meters');
  return id;
}

/** Null when this gateway replicates to nowhere. */
export function centreLink({ gateway, sync, models }: Settings): CentreSettings | null {
  if (!sync.enabled) return null;
  return {
    host: sync.host,
    port: sync.port,
    database: sync.database,
    user: sync.user ?? `gw_${gateway.name}`,
    secret: { password: sync.password, password_file: sync.password_file },
    tls: { mode: sync.tls.mode, caFile: sync.tls.ca_file },
    batchRows: sync.batch_rows,
    pushIntervalMs: sync.interval_s * 1_000,
    pullIntervalMs: models.pull_interval_s * 1_000,
  };
}
