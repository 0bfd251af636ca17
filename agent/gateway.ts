import type { Settings } from '../config/schema.js';
import { withBallast } from './buffer/ballast.js';
import { openLastingBuffer } from './buffer/lasting-buffer.js';
import { type Random, systemClock } from './domain/clock.js';
import { createGatewayClock } from './domain/gateway-clock.js';
import { closing, inOrder, type Lifecycle } from './domain/lifecycle.js';
import type { Logger } from './domain/log.js';
import type { MachineTime } from './domain/machine-time.js';
import { createMetrics, openEventLoopWatch } from './domain/metrics.js';
import type { BundleState } from './domain/results.js';
import { createIngest } from './ingest/ingest.js';
import type { Publication } from './ingest/publication.js';
import { createControl } from './ops/control.js';
import { parseImportBatch } from './ops/import-batch.js';
import { createIntakeFigures } from './ops/intake-figures.js';
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
  judgementSettings,
  knownMeters,
  makeDataDir,
  rememberedAtStart,
  silenceRules,
  threadOptions,
  validationRules,
  voteRules,
} from './settings.js';
import { createCompanion } from './threads/companion.js';
import { createDiskKeeping } from './threads/disk-keeping.js';
import { createMainView } from './threads/main-view.js';
import { createMending } from './threads/mending.js';
import { createPendingWrites } from './threads/pending-writes.js';
import { createTimeKeeping } from './threads/time-keeping.js';
import { createFeeds } from './validate/feeds/registry.js';
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
  const metrics = createMetrics();
  metrics.set('build_info', 1, { version: VERSION, node: process.version });
  const surroundings = { ...given, clock, metrics };
  const { log, terminal } = surroundings;
  const centre = centreLink(settings);

  makeDataDir(settings);

  // agent/buffer — the only writer. What `commit` has returned from is on disk (rows are appended in reading-log.ts). A
  // file that turns out to be damaged is set aside, and a new one serves.
  const buffer = withBallast(bufferPath(settings), () =>
    openLastingBuffer({ ...bufferOptions(settings), clock, log, beginClock: clock.begin, trust: () => clock.trust }),
  );
  buffer.registerMeters(knownMeters(settings));

  // threads/mending.ts — looks through the file after a stop that was not clean, and salvages what can be read of one
  // that was set aside. The threads that read the buffer tell it when they cannot.
  const mending = createMending(
    buffer,
    {
      bufferPath: bufferPath(settings),
      keepUnsettled: centre !== null,
      keepAside: settings.buffer.keep_damaged,
      onSalvaged() {
        companion.renew(); // the windows of the models are filled when it starts
      },
    },
    surroundings,
  );

  // agent/validate — a reading, or kept aside with a reason (domain/rejection.ts). Repeats are recognised from what each
  // meter sent last; an older one is caught by the slots, which count distinct times, and by the centre's primary key.
  const feeds = createFeeds(feedOptions(settings));
  const validator = createValidator(validationRules(settings), feeds, buffer.registeredMeters(), isTimeKnown);
  validator.remember(buffer.recentReadings(rememberedAtStart(settings, buffer.registeredMeters().size)));

  // agent/ingest — the embedded broker, and the client of another one. What all meters send goes into one group commit:
  // it calls storeReadings once, and the PUBACKs, which publish-gate.ts holds back, are sent when that has returned.
  const isReading = (topic: string): boolean => feeds.some((feed) => feed.match(topic) !== undefined);
  const subscriptions = feeds.flatMap((feed) => feed.subscriptions);
  const intake = createIntakeFigures(metrics);
  const ingest = createIngest(
    { ...ingestOptions(settings, subscriptions), commitWindowMs: () => disk.commitWindowMs },
    { isReading, accept: storeReadings },
    { ...surroundings, events: intake.events },
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
    intake.stored(verdict, clock.monotonicMs() - beganMs);
    timeKeeping.stored(verdict.readings);
  }

  // Readings become slots in agent/buffer; this timer asks it every second to close those whose time has come
  // (buffer/slot-book.ts knows which).
  const slots = createSlotTimer(buffer, onSlotsClosed, surroundings);

  function onSlotsClosed(closed: number): void {
    metrics.inc('slots_closed_total', closed);
    companion.post({ kind: 'slots-closed' });
  }

  // threads/disk-keeping.ts — when the disk fills up, it lets go of what is not needed, and holds the tap at last.
  const disk = createDiskKeeping(
    {
      bufferPath: bufferPath(settings),
      buffer,
      rules: diskRules(settings),
      endurance: enduranceRules(settings),
      tap: ingest,
      checkpoint: (how) => companion.post({ kind: 'checkpoint', truncate: how === 'truncate' }),
    },
    surroundings,
  );

  // threads/main-view.ts — what only this thread knows, for the page, /metrics and `wattwarden status`.
  const main = createMainView(
    {
      clock: () => timeKeeping.state(),
      disk: () => disk.state,
      connections: () => ingest.connections,
      report() {
        intake.report(ingest);
        disk.report();
      },
    },
    surroundings,
  );

  // What the other thread finds out is written in this one, and again while the disk refuses it.
  const writes = createPendingWrites(surroundings);

  // threads/companion.ts — the thread that does whatever a reading must not wait for:
  // agent/forecast and agent/fraud — closed slots in, forecasts, scores and anomalies back to the writer. The loop is
  // threads/analysis-loop.ts; agent/model-store has the models.
  // cloud-sync/push, cloud-sync/pull and agent/api — everything that speaks to the world beyond the meters. The loops
  // are threads/replication.ts.
  const companion = createCompanion(
    {
      ...threadOptions(settings),
      terminal,
      judgement: judgementSettings(settings),
      gateway: settings.gateway.name,
      silence: silenceRules(settings),
      http: settings.http,
      centre,
      checkpointsHeld: mending.checkpointsHeld,
    },
    {
      onResult(result, logId) {
        writes.put('analysis', () => {
          if (logId !== buffer.logId) return; // of a file that is no longer there
          buffer.storeAnalysis(result);
          metrics.inc('forecasts_total', result.forecasts.length);
          for (const { type } of result.anomalies) metrics.inc('anomalies_total', 1, { type });
          companion.post({ kind: 'result-stored', analysedUpTo: result.analysedUpTo });
        });
      },
      onListening: main.listening,
      // The centre has these ranges of a stream (readings, slots, …): all that it has, so that the last word is enough.
      onSettled: (stream, settled) => writes.put(`settled ${stream}`, () => buffer.settle(stream, settled)),
      onCheckpoint(writtenBytes) {
        disk.checkpointed();
        buffer.wrote('checkpoints', writtenBytes);
      },
      onLink: main.linked,
      onTold: (told) => timeKeeping.tell(told),
      onBundle,
      view: main.look,
      onDamage: mending.ofReaders.onDamage,
      mend: mending.ofReaders.mend,
      onRestart(cause) {
        metrics.inc('thread_restarts_total', 1, { thread: 'companion' });
        mending.ofReaders.died(cause);
      },
    },
    surroundings,
  );

  function onBundle(bundle: BundleState): void {
    const atMs = clock.now();
    writes.put(`bundle ${bundle.version} ${bundle.state}`, () => buffer.recordBundle(bundle, atMs));
    main.judged(bundle);
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
        main.moved(byMs);
        if (isFarBack) companion.renew();
      },
      onLooked: () => companion.post({ kind: 'clock', baseMs: clock.baseMs, isKnown: isTimeKnown() }),
    },
    surroundings,
  );

  // Whoever reads the buffer reads the file that is there now.
  buffer.onReplaced(() => {
    mending.replaced();
    companion.renew();
  });

  /** From `wattwarden import`, which has verified them. */
  function importRows(batch: string): number {
    const { meters, readings } = parseImportBatch(JSON.parse(batch));
    const stored = buffer.importReadings(meters, readings);
    companion.post({ kind: 'rows-waiting' });
    return stored;
  }

  // Once a day, what is too old goes; and a local socket lets the command line ask and change a running gateway.
  const maintenance = createMaintenance(settings.buffer.maintenance, buffer, surroundings);
  const control = createControl(
    controlPath(settings),
    {
      view: main.look,
      'trust-clock': timeKeeping.trust,
      'sync-now': async () => companion.post({ kind: 'sync-now' }),
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
    surroundings,
  );

  // Started from the buffer outwards and stopped in reverse: the tap closes first, the buffer last.
  const parts = [
    closing('event-loop watch', openEventLoopWatch('main', metrics)),
    closing('buffer', buffer),
    writes,
    timeKeeping,
    mending,
    companion,
    ...disk.parts,
    slots,
    maintenance,
    control,
    ingest,
    silence,
  ];
  const lifecycle = inOrder(parts, { clock, log, stopDeadlineMs: settings.gateway.stop_deadline_s * 1_000 });
  return { ...lifecycle, addresses: () => ({ mqtt: ingest.address, http: main.http }) };
}
