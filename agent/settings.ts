import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../config/schema.js';
import { readSecret, readSecretFile } from '../config/secrets.js';
import type { BufferOptions } from './buffer/buffer.js';
import { WAL_LIMIT_BYTES } from './buffer/checkpoint.js';
import type { RecentLimits } from './buffer/reading-log.js';
import type { Keep, Kept } from './buffer/retention.js';
import { type MeterId, parseMeterId } from './domain/brand.js';
import { codeOf, invariant, messageOf, WattwardenError } from './domain/errors.js';
import type { GatewayClockOptions } from './domain/gateway-clock.js';
import type { Meter } from './domain/meter.js';
import type { SilenceRules } from './domain/silence.js';
import { parseTimeZone, type TimeZone } from './domain/time-zone.js';
import type { JudgementSettings } from './fraud/scoring.js';
import type { BrokerLimits, BrokerOptions, ListenerPlace } from './ingest/broker.js';
import type { ClientOptions } from './ingest/client.js';
import type { IngestOptions } from './ingest/ingest.js';
import type { DiskRules } from './ops/disk-watch.js';
import type { VoteRules } from './ops/meter-vote.js';
import type { EvidencePlaces } from './ops/time-evidence.js';
import type { CentreSettings } from './threads/companion.js';
import type { FeedOptions } from './validate/feeds/registry.js';
import { REMEMBERED_TOGETHER, rememberedOf } from './validate/repeats.js';
import { canBeOwn } from './validate/times.js';
import type { MeterFacts, Rules } from './validate/validator.js';

/** What each part is told, in its own words and units; settings speak in those of the person who writes them. */

type MqttSettings = Settings['mqtt'];

const DAY_MS = 86_400_000;

export const bufferPath = ({ gateway, buffer }: Settings): string =>
  buffer.path ?? join(gateway.data_dir, 'buffer.sqlite');
const modelsDir = ({ gateway }: Settings): string => join(gateway.data_dir, 'models');
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
const shippedBundle = ({ buffer }: Settings): string =>
  fileURLToPath(new URL(`../../models/bundles/default-${buffer.slot_minutes}min`, import.meta.url));

/** What both worker threads are told. */
export const threadOptions = (settings: Settings) => ({
  bufferPath: bufferPath(settings),
  logLevel: settings.log.level,
  models: {
    dir: modelsDir(settings),
    shippedDir: shippedBundle(settings),
    trustedKeys: settings.models.trusted_keys,
    slotMinutes: settings.buffer.slot_minutes,
    ...(settings.fraud.contamination === undefined ? {} : { contamination: settings.fraud.contamination }),
  },
});

export const bufferOptions = (settings: Settings): Omit<BufferOptions, 'clock' | 'log'> => ({
  path: bufferPath(settings),
  slotMinutes: settings.buffer.slot_minutes,
  slotGraceMs: settings.buffer.slot_grace_s * 1_000,
  maxRejected: settings.buffer.max_rejected,
  maxRejectedBytes: settings.buffer.max_rejected_bytes,
  retentionMs: settings.buffer.retention_days * DAY_MS,
  keepUnsettled: settings.sync.enabled,
  keepUnanalysed: settings.models.enabled,
  keep: keepOf(settings.buffer),
  maxBytes: settings.buffer.max_bytes,
  timeCanBe: canBeOwn(validationRules(settings)),
});

/** A clock that stands before it was never set. It moves with each release. */
const NOT_BEFORE_MS = Date.UTC(2026, 9, 1);
/** Linux's first battery-backed clock. */
const BATTERY_FILE = '/sys/class/rtc/rtc0/since_epoch';

export const clockOptions = ({ clock, sync }: Settings): Omit<GatewayClockOptions, 'machine' | 'sleep'> => ({
  strictness: clock.trust,
  notBeforeMs: NOT_BEFORE_MS,
  hasCentre: sync.enabled,
});

export const evidencePlaces = ({ clock }: Settings): EvidencePlaces => ({
  confirmedFile: clock.confirmed_file,
  batteryFile: BATTERY_FILE,
});

export const voteRules = ({ clock }: Settings): VoteRules => ({
  least: clock.meter_votes,
  notBeforeMs: NOT_BEFORE_MS,
});

function keepOf({ retention_days, keep }: Settings['buffer']): Keep {
  const kept = ({ days = retention_days, rows, bytes }: KeepSettings): Kept => ({
    ms: days * DAY_MS,
    rows: rows ?? Number.POSITIVE_INFINITY,
    bytes: bytes ?? Number.POSITIVE_INFINITY,
  });
  return {
    readings: kept(keep.readings),
    slots: kept(keep.slots),
    forecasts: kept(keep.forecasts),
    anomalies: kept(keep.anomalies),
    quality: kept(keep.quality),
  };
}

interface KeepSettings {
  readonly days?: number;
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
}

/** Of a file that is bounded itself, so that most of it is used. */
const RESERVED_PART = 1 / 8;

export const enduranceRules = ({ buffer, mqtt }: Settings) => ({
  bytesPerDay: buffer.bytes_per_day,
  windowMs: mqtt.commit_window_ms,
  cardBytes: buffer.card_endurance_tb * 1e12,
});

export const diskRules = ({ buffer }: Settings): DiskRules => ({
  reserveBytes: Math.min(buffer.reserve_bytes, (buffer.max_bytes ?? Number.POSITIVE_INFINITY) * RESERVED_PART),
  ballastBytes: buffer.ballast_bytes,
  walBytes: WAL_LIMIT_BYTES,
});

/** `subscriptions`: topic filters of all feeds. */
export const ingestOptions = (
  settings: Settings,
  subscriptions: readonly string[],
): Omit<IngestOptions, 'commitWindowMs'> => ({
  broker: settings.mqtt.enabled ? brokerOptions(settings, subscriptions) : undefined,
  source: settings.source.enabled ? sourceOptions(settings, subscriptions) : undefined,
  maxPending: settings.mqtt.max_pending,
});

/**
 * Repeats after a restart are what was stored and not acknowledged any more. Meters at the embedded broker have no more
 * in flight than it lets wait; another broker may send its whole queue again.
 */
export const rememberedAtStart = ({ source, mqtt }: Settings, meters: number): RecentLimits => ({
  ofEach: rememberedOf(meters),
  together: source.enabled ? REMEMBERED_TOGETHER : 10 * mqtt.max_pending,
});

function sourceOptions({ gateway, mqtt, source }: Settings, subscriptions: readonly string[]): ClientOptions {
  const text = (file: string | undefined) => (file === undefined ? undefined : readPem(file));
  return {
    url: source.url,
    protocol: source.protocol,
    clientId: source.client_id ?? `wattwarden-${gateway.name}`,
    user: source.user,
    keepaliveS: source.keepalive_s,
    sessionExpiryS: source.session_expiry_s,
    maxRetryMs: source.max_retry_s * 1_000,
    maxPending: mqtt.max_pending,
    filters: subscriptions.map((filter) =>
      source.share_group === undefined ? filter : `$share/${source.share_group}/${filter}`,
    ),
    statusTopic: source.publish_status ? `wattwarden/${gateway.name}/status` : undefined,
    secrets: () => ({
      password: readSecret(source, 'password'),
      ca: text(source.ca_file),
      cert: text(source.cert_file),
      key: source.key_file === undefined ? undefined : readSecretFile(source.key_file),
    }),
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new WattwardenError('source.untrusted', messageOf(error), { cause: error });
  }
}

export const brokerOptions = ({ gateway, mqtt }: Settings, subscriptions: readonly string[]): BrokerOptions => ({
  listeners: listenerPlaces(mqtt),
  certificateFiles: certificateFiles(mqtt),
  usersFile: mqtt.users_file,
  readSecret: readSecretFile,
  anonymous: mqtt.anonymous ?? (mqtt.users_file === undefined && mqtt.tls.client_certificates === 'off'),
  roles: forFeeds(mqtt.roles, subscriptions),
  statusTopic: `wattwarden/${gateway.name}/status`,
  maxPending: mqtt.max_pending,
  limits: brokerLimits(mqtt),
});

/** Who publishes for many meters publishes in the form of any feed that is enabled. */
const forFeeds = (roles: MqttSettings['roles'], subscriptions: readonly string[]): MqttSettings['roles'] => ({
  ...roles,
  gateway: { ...roles.gateway, publish: [...roles.gateway.publish, ...subscriptions] },
});

function listenerPlaces({ tcp, host, port, tls, websocket }: MqttSettings): readonly ListenerPlace[] {
  const certificates = tls.client_certificates;
  const plain = { clientCertificates: 'off', allowedOrigins: [] } as const;
  return [
    ...(tcp ? [{ kind: 'tcp', host, port, encrypted: false, ...plain } as const] : []),
    ...(tls.enabled
      ? [
          {
            ...plain,
            kind: 'tls',
            host: tls.host,
            port: tls.port,
            encrypted: true,
            clientCertificates: certificates,
          } as const,
        ]
      : []),
    ...(websocket.enabled
      ? [
          {
            kind: 'websocket',
            host: websocket.host,
            port: websocket.port,
            encrypted: websocket.tls,
            clientCertificates: websocket.tls ? certificates : 'off',
            allowedOrigins: websocket.allowed_origins,
          } as const,
        ]
      : []),
  ];
}

function certificateFiles({ tls, websocket }: MqttSettings): BrokerOptions['certificateFiles'] {
  if (!tls.enabled && !(websocket.enabled && websocket.tls)) return undefined;
  const { cert_file: certFile, key_file: keyFile, ca_file: caFile } = tls;
  invariant(certFile !== undefined && keyFile !== undefined, 'the schema has asked for both files');
  return { certFile, keyFile, caFile };
}

const brokerLimits = ({ max_connections, limits }: MqttSettings): BrokerLimits => ({
  maxConnections: max_connections,
  maxPerAddress: limits.max_connections_per_address,
  perSecond: limits.connections_per_second,
  perSecondPerAddress: limits.connections_per_second_per_address,
  connectTimeoutMs: limits.connect_timeout_s * 1_000,
  maxPacketBytes: limits.max_packet_bytes,
  packetTimeoutMs: limits.packet_timeout_s * 1_000,
  // Half as long again as the keep-alive (MQTT 3.1.1, 3.1.2.10).
  maxSilenceMs: limits.max_keepalive_s * 1_500,
  maxTopicBytes: limits.max_topic_bytes,
  maxTopicLevels: limits.max_topic_levels,
  maxClientIdBytes: limits.max_client_id_bytes,
  maxInflight: limits.max_inflight,
  maxSubscriptions: limits.max_subscriptions,
  maxOutgoingBytes: limits.max_outgoing_bytes,
  drainTimeoutMs: limits.drain_timeout_s * 1_000,
  maxRetained: limits.max_retained,
  maxRetainedBytes: limits.max_retained_bytes,
  maxSessions: limits.max_sessions,
  expiryMs: limits.session_expiry_s * 1_000,
  maxQueuedMessages: limits.max_queued_messages,
  maxQueuedBytes: limits.max_queued_bytes,
  checksAtOnce: limits.password_checks,
  maxWaiting: limits.max_waiting_passwords,
});

export const feedOptions = ({ feeds }: Settings): FeedOptions => ({
  enabled: feeds.enabled,
  custom: feeds.custom,
  zone: timeZone(zoneName({ feeds })),
});

/** Null when this gateway neither forecasts nor scores. */
export const judgementSettings = ({ models, fraud, feeds }: Settings): JudgementSettings | null =>
  models.enabled ? { threshold: models.threshold, language: fraud.language, timeZone: zoneName({ feeds }) } : null;

/** Takes its time when asked first: here while the settings are still read. */
const ZONE_HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zoneName = ({ feeds }: Pick<Settings, 'feeds'>): string => feeds.time_zone ?? ZONE_HERE;

function timeZone(name: string): TimeZone {
  const zone = parseTimeZone(name);
  invariant(zone !== undefined, 'the schema has checked the time zone');
  return zone;
}

export const validationRules = ({ mqtt, meters, validate }: Settings): Rules => ({
  maxPayloadBytes: mqtt.max_payload_bytes,
  maxAgeMs: validate.max_age_days * DAY_MS,
  maxFutureMs: validate.max_future_s * 1_000,
  requireTime: validate.require_time,
  badClock: validate.bad_clock,
  capW: validate.max_step_power_w,
  registerToleranceWh: validate.register_tolerance_wh,
  meters: meterFacts({ meters, validate }),
  register: meters.register,
  maxRegistered: meters.max_registered,
  ranges: {
    powerW: validate.power_w,
    importWh: validate.import_wh,
    exportWh: validate.export_wh,
    voltageV: validate.voltage_v,
    currentA: validate.current_a,
    powerFactor: validate.power_factor,
    frequencyHz: validate.frequency_hz,
  },
});

/** A fuse carries a multiple of what is subscribed, for a while. */
const RATED_TIMES = 3;

const meterFacts = ({ meters, validate }: Pick<Settings, 'meters' | 'validate'>): ReadonlyMap<MeterId, MeterFacts> =>
  new Map(
    meters.known.map(({ id, kind, rated_power_w: ratedW, register_max_wh: registerMaxWh }) => {
      const capW = ratedW !== undefined ? RATED_TIMES * ratedW : kind === 'feeder' ? validate.power_w.max : undefined;
      return [
        meterId(id),
        { ...(capW !== undefined && { capW }), ...(registerMaxWh !== undefined && { registerMaxWh }) },
      ];
    }),
  );

export const silenceRules = ({ meters }: Settings): SilenceRules => ({
  intervals: meters.silent_after_intervals,
  atLeastMs: meters.silent_after_s * 1_000,
  atMostMs: Math.max(meters.silent_after_s, meters.silent_at_most_s) * 1_000,
  activeHours: meters.active_hours,
  meters: new Map(
    meters.known.map(({ id, interval_s: intervalS, active_hours: activeHours }) => [
      meterId(id),
      { ...(intervalS !== undefined && { intervalMs: intervalS * 1_000 }), ...(activeHours && { activeHours }) },
    ]),
  ),
});

export const knownMeters = ({ meters }: Settings): readonly Meter[] =>
  meters.known.map(({ id, kind, feeder, rated_power_w, register_max_wh }) => ({
    id: meterId(id),
    kind,
    ...(feeder === undefined ? {} : { feeder: meterId(feeder) }),
    ...(rated_power_w === undefined ? {} : { ratedPowerW: rated_power_w }),
    ...(register_max_wh === undefined ? {} : { registerMaxWh: register_max_wh }),
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
