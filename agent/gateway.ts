import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Settings } from '../config/schema.js';
import { ballastPath, openBallast, withBallast } from './buffer/ballast.js';
import { damageOf } from './buffer/damage.js';
import { openLastingBuffer } from './buffer/lasting-buffer.js';
import { epochMs } from './domain/brand.js';
import { type Random, systemClock } from './domain/clock.js';
import { DISK_STEPS, type DiskState } from './domain/disk.js';
import { flagsOf } from './domain/flags.js';
import { createGatewayClock } from './domain/gateway-clock.js';
import { inOrder, type Lifecycle, type Part } from './domain/lifecycle.js';
import type { Logger } from './domain/log.js';
import type { MachineTime } from './domain/machine-time.js';
import { createMetrics, type Metrics, openEventLoopWatch } from './domain/metrics.js';
import type { BundleState, LinkState } from './domain/results.js';
import { createIngest, type Ingest } from './ingest/ingest.js';
import type { Publication } from './ingest/publication.js';
import { createControl } from './ops/control.js';
import { createDiskFigures } from './ops/disk-figures.js';
import { createDiskWatch } from './ops/disk-watch.js';
import { parseImportBatch } from './ops/import-batch.js';
import { createMaintenance } from './ops/maintenance.js';
import { createSilenceWatch } from './ops/silence-watch.js';
import { createSlotTimer } from './ops/slot-timer.js';
import {
  bufferOptions,
  bufferPath,
  centreLink,
  clockOptions,
  controlPath,
  diskRules,
  enduranceRules,
  evidencePlaces,
  feedOptions,
  ingestOptions,
  knownMeters,
  makeDataDir,
  modelsDir,
  shippedBundle,
  silenceRules,
  validationRules,
  voteRules,
} from './settings.js';
import { createAnalytics } from './threads/analytics.js';
import { createMending } from './threads/mending.js';
import type { MainView } from './threads/messages.js';
import { createOutward } from './threads/outward.js';
import { createPendingWrites } from './threads/pending-writes.js';
import { createTimeKeeping } from './threads/time-keeping.js';
import { createFeeds } from './validate/feeds/registry.js';
import { rememberedOf } from './validate/repeats.js';
import { createValidator } from './validate/validator.js';
import { VERSION } from './version.js';

export interface Surroundings {
  readonly machine: MachineTime;
  readonly random: Random;
  readonly log: Logger;
  /** Whether log lines are for a terminal; the other threads write their own. */
  readonly terminal: boolean;
}

export interface Gateway extends Lifecycle {
  /** Where it listens, once started. */
  addresses(): { readonly mqtt: string; readonly http: string };
}

/**
 * The composition root: the path of a reading, from top to bottom. Only here do two stages know of each other. Each
 * comment names the folder of a stage; when work is done within a thread stands in `threads/`, the mathematics in `models/`.
 */
export function createGateway(settings: Settings, { machine, ...given }: Surroundings): Gateway {
  // agent/domain/gateway-clock.ts — the time of everything below. The clock of the machine is only one of its witnesses.
  const clock = createGatewayClock({ ...clockOptions(settings), machine, sleep: systemClock.sleep });
  const isTimeKnown = (): boolean => clock.trust.state === 'trusted';
  const surroundings = { ...given, clock };
  const { log, terminal } = surroundings;
  const centre = centreLink(settings);
  const metrics = createMetrics();
  metrics.set('build_info', 1, { version: VERSION, node: process.version });

  makeDataDir(settings);

  // agent/buffer — the only writer. What `commit` has returned from is on disk (rows are appended in reading-log.ts). A
  // file that turns out to be damaged is set aside, and a new one serves; mending salvages what can be read of the old.
  const buffer = withBallast(bufferPath(settings), () =>
    openLastingBuffer({
      ...bufferOptions(settings),
      clock,
      log,
      beginClock: clock.begin,
      trust: () => clock.trust,
    }),
  );
  buffer.registerMeters(knownMeters(settings));
  const live = { startedAtMs: clock.now(), link: NO_LINK, bundle: null as BundleState | null, http: '' };

  const mending = createMending(
    buffer,
    {
      bufferPath: bufferPath(settings),
      keepUnsettled: centre !== null,
      keepAside: settings.buffer.keep_damaged,
      onSalvaged() {
        analytics.renew(); // its windows are filled when it starts
        outward.post({ kind: 'rows-waiting' });
      },
    },
    { ...surroundings, metrics },
  );
  const onDamage = (cause: string, logId: string): void => buffer.reportDamage(cause, logId);

  /** A worker that found the file damaged before it could start finds another one the next time. */
  function mend(cause: unknown): boolean {
    const damage = damageOf(cause);
    if (damage !== undefined) buffer.reportDamage(damage, buffer.logId);
    return damage !== undefined;
  }

  // agent/validate — a reading, or kept aside with a reason (domain/rejection.ts). Repeats are recognised from what each
  // meter sent last; an older one is caught by the slots, which count distinct times, and by the centre's primary key.
  const feeds = createFeeds(feedOptions(settings));
  const validator = createValidator(validationRules(settings), feeds, buffer.registeredMeters(), isTimeKnown);
  validator.remember(buffer.recentReadings(rememberedOf(buffer.registeredMeters().size)));

  // agent/ingest — the embedded broker, and the client of another one. What all meters send goes into one group commit:
  // it calls storeReadings once, and the PUBACKs, which publish-gate.ts holds back, are sent when that has returned.
  const isReading = (topic: string): boolean => feeds.some((feed) => feed.match(topic) !== undefined);
  const subscriptions = feeds.flatMap((feed) => feed.subscriptions);
  const ingest = createIngest(
    { ...ingestOptions(settings, subscriptions), commitWindowMs: () => figures.commitWindowMs },
    { isReading, accept: storeReadings },
    {
      ...surroundings,
      events: {
        refused: (reason) => metrics.inc('mqtt_refused_total', 1, { reason }),
        reloaded: (file, fine) => metrics.inc('mqtt_reloads_total', 1, { file, result: fine ? 'used' : 'broken' }),
        source: {
          connected: (is) => metrics.set('source_connections', is ? 1 : 0),
          ignored: (why) => metrics.inc('source_ignored_total', 1, { why }),
          failed: () => metrics.inc('loop_failures_total', 1, { loop: 'source' }),
        },
      },
    },
  );

  function storeReadings(publications: readonly Publication[]): void {
    const verdict = validator.validate(publications);
    const beganMs = clock.monotonicMs();
    try {
      disk.write(() => buffer.commit(verdict));
    } catch (error) {
      verdict.forget(); // or the meters' second attempt would be taken for a repeat
      throw error;
    }
    metrics.observe('commit_seconds', (clock.monotonicMs() - beganMs) / 1_000);
    metrics.inc('readings_stored_total', verdict.readings.length);
    timeKeeping.stored(verdict.readings);
    for (const { flags } of verdict.readings) {
      if (flags === 0) continue; // nearly every reading
      for (const flag of flagsOf(flags)) metrics.inc('readings_flagged_total', 1, { flag });
    }
    for (const { reason } of verdict.rejected) metrics.inc('readings_rejected_total', 1, { reason });
  }

  // Readings become slots in agent/buffer; this timer asks it every second to close those whose
  // time has come (buffer/slot-book.ts knows which).
  const slots = createSlotTimer(buffer, onSlotsClosed, { ...surroundings, metrics });

  function onSlotsClosed(closed: number): void {
    metrics.inc('slots_closed_total', closed);
    analytics.post({ kind: 'slots-changed' });
    outward.post({ kind: 'rows-waiting' });
  }

  // When the disk fills up, agent/ops/disk-watch.ts lets go of what is not needed, and holds the tap at last.
  const disk = createDiskWatch(
    {
      rules: diskRules(settings),
      relief: buffer,
      ballast: openBallast(ballastPath(bufferPath(settings)), settings.buffer.ballast_bytes),
      freeBytes: () => freeBytesOf(dirname(bufferPath(settings))),
      writtenBytes: () => Object.values(buffer.written()).reduce((sum, bytes) => sum + bytes, 0),
      tap: ingest,
      checkpoint: (how) => outward.post({ kind: 'checkpoint', truncate: how === 'truncate' }),
    },
    { ...surroundings, metrics },
  );

  const figures = createDiskFigures(
    {
      rules: enduranceRules(settings),
      endurance: buffer,
      written: () => buffer.written(),
      disk: () => disk.state,
    },
    { ...surroundings, metrics },
  );

  // What the threads below find out is written in this one, and again while the disk refuses it.
  const writes = createPendingWrites({ ...surroundings, metrics });

  // agent/forecast and agent/fraud — closed slots in, forecasts, scores and anomalies back to the writer. The loop is
  // threads/analysis-loop.ts.
  const models = {
    dir: modelsDir(settings),
    shippedDir: shippedBundle(settings),
    trustedKeys: settings.models.trusted_keys,
    slotMinutes: settings.buffer.slot_minutes,
  };
  const shared = { bufferPath: bufferPath(settings), models, logLevel: settings.log.level, terminal };
  const analytics = createAnalytics(
    { ...shared, threshold: settings.models.threshold },
    {
      onDamage,
      mend,
      onResult(result, logId) {
        writes.put('analysis', () => {
          if (logId !== buffer.logId) return; // of a file that is no longer there
          buffer.storeAnalysis(result);
          metrics.inc('forecasts_total', result.forecasts.length);
          for (const { type } of result.anomalies) metrics.inc('anomalies_total', 1, { type });
          analytics.post({ kind: 'stored', analysedUpTo: result.analysedUpTo });
          outward.post({ kind: 'rows-waiting' });
        });
      },
      onBundle,
      onRestart: onRestart('analytics'),
    },
    surroundings,
  );

  // cloud-sync/push, cloud-sync/pull and agent/api — everything that speaks to the world beyond the meters. The loops
  // are threads/replication.ts.
  const outward = createOutward(
    {
      ...shared,
      gateway: settings.gateway.name,
      silence: silenceRules(settings),
      http: settings.http,
      centre,
      checkpointsHeld: mending.checkpointsHeld,
    },
    {
      onListening: (address) => Object.assign(live, { http: address }),
      // The centre has these ranges of a stream (readings, slots, …): all that it has, so that the last word is enough.
      onSettled: (stream, settled) => writes.put(`settled ${stream}`, () => buffer.settle(stream, settled)),
      onCheckpoint(writtenBytes) {
        disk.checkpointed();
        buffer.wrote('checkpoints', writtenBytes);
      },
      onLink: (link) => Object.assign(live, { link }),
      // A release that pull has brought and agent/model-store/store.ts, over there, has verified and installed.
      onBundleArrived: () => analytics.post({ kind: 'bundle-arrived' }),
      onTold: (told) => timeKeeping.tell(told),
      onBundle,
      onDamage,
      mend,
      onRestart: onRestart('outward'),
      view,
    },
    surroundings,
  );

  function onRestart(thread: 'analytics' | 'outward') {
    return (cause: unknown): void => {
      metrics.inc('thread_restarts_total', 1, { thread });
      if (damageOf(cause) !== undefined) mending.suspect();
    };
  }

  function onBundle(bundle: BundleState): void {
    const atMs = clock.now();
    writes.put(`bundle ${bundle.version} ${bundle.state}`, () => buffer.recordBundle(bundle, atMs));
    if (bundle.state === 'active') {
      live.bundle = bundle;
      log.info(bundle, 'model serves');
    } else log.error(bundle, live.bundle === null ? 'model refused' : 'model refused; the one before serves on');
  }

  async function view(): Promise<MainView> {
    reportIngest(metrics, ingest);
    reportDisk(metrics, disk.state);
    const analyticsMetrics = await analytics.ask('metrics', THREAD_ANSWERS_WITHIN_MS).catch(() => []);
    return {
      ...live,
      clock: timeKeeping.state(),
      disk: { ...disk.state, ...figures.figures },
      connections: ingest.connections,
      metrics: await metrics.toJson(),
      analyticsMetrics,
    };
  }

  // threads/time-keeping.ts — looks every second for what the time can rest on. While it is not known, readings are
  // stored and wait (buffer/placement.ts): neither in a slot nor for the centre to see.
  const timeKeeping = createTimeKeeping(
    {
      buffer,
      validator,
      places: evidencePlaces(settings),
      vote: voteRules(settings),
      onMoved(byMs, isFarBack) {
        live.startedAtMs = epochMs(live.startedAtMs + Math.round(byMs));
        if (isFarBack) analytics.renew();
      },
      onLooked: () => outward.post({ kind: 'clock', baseMs: clock.baseMs, isKnown: isTimeKnown() }),
    },
    { ...surroundings, metrics },
  );

  /** From `wattwarden import`, which has verified them. */
  function importRows(batch: string): number {
    const { meters, readings } = parseImportBatch(JSON.parse(batch));
    const stored = buffer.importReadings(meters, readings);
    outward.post({ kind: 'rows-waiting' });
    return stored;
  }

  // Whoever reads the buffer reads the file that is there now.
  buffer.onReplaced(() => {
    mending.replaced();
    analytics.renew();
    outward.renew();
  });

  // Once a day, what is too old goes; and a local socket lets the command line ask and change a running gateway.
  const maintenance = createMaintenance(settings.buffer.maintenance, buffer, surroundings);
  const control = createControl(
    controlPath(settings),
    {
      view,
      'trust-clock': timeKeeping.trust,
      'sync-now': async () => outward.post({ kind: 'sync-now' }),
      import: async (batch) => importRows(batch),
    },
    log,
  );

  // Who has fallen silent is told on a topic; whoever subscribes later has it at once.
  const silence = createSilenceWatch(
    buffer,
    {
      rules: silenceRules(settings),
      onChange: (silent) => void ingest.announce(`wattwarden/${settings.gateway.name}/silent`, JSON.stringify(silent)),
    },
    { ...surroundings, metrics },
  );

  // Started from the buffer outwards and stopped in reverse: the tap closes first, the buffer last.
  const thinking = settings.models.enabled ? [analytics] : [];
  const parts = [
    asPart('buffer', buffer),
    writes,
    timeKeeping,
    mending,
    ...thinking,
    outward,
    disk,
    figures,
    slots,
    maintenance,
    control,
    ingest,
    silence,
  ];
  const lifecycle = inOrder([watchPart(), ...parts], {
    clock,
    log,
    stopDeadlineMs: settings.gateway.stop_deadline_s * 1_000,
  });
  return { ...lifecycle, addresses: () => ({ mqtt: ingest.address, http: live.http }) };

  function watchPart(): Part {
    return asPart('event-loop watch', openEventLoopWatch('main', metrics));
  }
}

function reportIngest(metrics: Metrics, { connections, figures }: Ingest): void {
  metrics.set('mqtt_connections', connections);
  if (figures === undefined) return;
  metrics.set('mqtt_absent_sessions', figures.absentSessions);
  metrics.set('mqtt_queued_bytes', figures.queuedBytes);
  metrics.set('mqtt_retained_messages', figures.retained);
  if (figures.certificateValidUntilMs === null) return;
  metrics.set('mqtt_certificate_ends_seconds', Math.round(figures.certificateValidUntilMs / 1_000));
}

function reportDisk(metrics: Metrics, { step: now, usableBytes }: DiskState): void {
  for (const step of DISK_STEPS) metrics.set('disk_step', step === now ? 1 : 0, { step });
  if (usableBytes !== null) metrics.set('disk_usable_bytes', usableBytes);
}

async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

const NO_LINK: LinkState = { state: 'off', detail: '', lastSuccessMs: null };

/** A thread that has not answered by then leaves its part of the picture empty. */
const THREAD_ANSWERS_WITHIN_MS = 500;

/** Something already open, as a part that only has to be closed. */
const asPart = (name: string, open: { close(): void }): Part => ({
  name,
  start: async () => undefined,
  stop: async () => open.close(),
});
