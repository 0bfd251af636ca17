import type { SlotWindow, SlotWindows } from '../../models/window/slot-windows.js';
import type { Anomaly } from '../domain/anomaly.js';
import type { ChangeSeq, EpochMs, MeterId } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import type { AnalysisResult } from '../domain/results.js';
import { SLOT_MS, type SlotScore } from '../domain/slot.js';
import type { StoredSlot } from '../domain/stored.js';
import { type Loop, supervise } from '../domain/supervise.js';
import type { Forecasting } from '../forecast/forecasting.js';
import type { Scored, ScoringModel } from '../fraud/scoring.js';
import type { Loaded, ModelStore } from '../model-store/store.js';
import type { FromAnalytics } from './messages.js';

interface AnalysisOptions {
  readonly reader: {
    analysedUpTo(): ChangeSeq;
    slotsToAnalyse(
      after: ChangeSeq,
      limit: number,
    ): { readonly slots: readonly StoredSlot[]; readonly upTo: ChangeSeq };
  };
  readonly windows: SlotWindows;
  readonly forecasting: Forecasting;
  readonly score: (
    slot: { meter: MeterId; window: SlotWindow; expectedW: number | undefined },
    model: ScoringModel,
    threshold: number,
  ) => Scored | undefined;
  readonly models: ModelStore;
  readonly threshold: number;
  readonly post: (message: FromAnalytics['message']) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Analysis {
  /** Before `start`, and again whenever a bundle has arrived. */
  loadModels(): Promise<void>;
  start(): void;
  wake(): void;
  /** The writer has stored the result that reaches this far. */
  stored(upTo: ChangeSeq): void;
  bundleArrived(): void;
  stop(): Promise<void>;
}

/** Slots and forecasts in one result: the writer stores it within 20 ms, and takes readings in before the next. */
const CHUNK = 500;
/** Slots are announced; this only bounds what a lost announcement can cost. */
const IDLE_MS = 30_000;
const BACKOFF = { firstMs: 1_000, maxMs: 60_000 };
/** When the writer has not stored a result for so long, the result is computed again. */
const STORED_WITHIN_MS = 60_000;

/** Follows the slots with a cursor of its own; each result names how far it reaches, and is stored together with that. */
export function createAnalysis(options: AnalysisOptions): Analysis {
  const { reader, windows, forecasting, models, post, clock, metrics } = options;
  const changed = new Set<MeterId>();
  let cursor = reader.analysedUpTo();
  let loaded: Loaded | undefined;
  let reload = false;
  let loop: Loop | undefined;
  let onStored: ((upTo: ChangeSeq) => void) | undefined;

  async function loadModels(): Promise<void> {
    const { loaded: next, refused } = await models.load();
    for (const bundle of refused) post({ kind: 'bundle', bundle });
    const previous = loaded;
    loaded = next;
    post({ kind: 'bundle', bundle: next.state });
    await previous?.forecaster.close();
  }

  /** Hands a result to the writer and waits until it is stored, so that no more than one is ever under way. */
  async function deliver(result: AnalysisResult, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const end = (): void => waiting.abort();
    const stored = new Promise<'stored'>((resolve) => {
      onStored = (upTo) => {
        if (upTo >= result.analysedUpTo) resolve('stored');
      };
    });
    const late = clock.sleep(STORED_WITHIN_MS, waiting.signal).then(() => 'late' as const);
    signal.addEventListener('abort', end, { once: true });
    post({ kind: 'result', result });
    const outcome = await Promise.race([stored, late]);
    signal.removeEventListener('abort', end);
    end();
    if (outcome === 'late' && !signal.aborted)
      throw new Error(`the writer did not store a result in ${STORED_WITHIN_MS} ms`);
  }

  function scoreSlots(slots: readonly StoredSlot[], { bundle }: Loaded): { scores: SlotScore[]; anomalies: Anomaly[] } {
    const scores: SlotScore[] = [];
    const anomalies: Anomaly[] = [];
    for (const slot of slots) {
      windows.put(slot.meter, slot.slotStartMs, slot.meanPowerDw / 10);
      const window = windows.get(slot.meter);
      // A late revision of an older slot changes the window, but the window's newest slot was scored already.
      if (window === undefined || window.endMs !== endOf(slot)) continue;
      const expectedW = forecasting.expectedW(slot.meter, slot.slotStartMs);
      const scored = options.score({ meter: slot.meter, window, expectedW }, bundle, options.threshold);
      if (scored === undefined) continue;
      scores.push(scored.score);
      if (scored.anomaly !== undefined) anomalies.push(scored.anomaly);
    }
    return { scores, anomalies };
  }

  /** One chunk of slots: taken into the windows, scored, forecast once nothing more waits, delivered. */
  async function turn(signal: AbortSignal): Promise<number> {
    if (reload) {
      reload = false;
      await loadModels();
    }
    const model = loaded;
    if (model === undefined) return IDLE_MS;
    const { slots, upTo } = reader.slotsToAnalyse(cursor, CHUNK);
    if (slots.length === 0 && changed.size === 0) {
      cursor = upTo;
      return IDLE_MS;
    }
    for (const slot of slots) changed.add(slot.meter);
    const { scores, anomalies } = scoreSlots(slots, model);
    // While catching up, only the last forecast of each meter is of use to anybody.
    const caughtUp = slots.length < CHUNK;
    const forecasts = caughtUp ? await forecasting.forecast(changed, model.forecaster) : [];
    // Only the last part moves the cursor: after a kill in between, all of it is made again.
    for (let from = CHUNK; from < forecasts.length && !signal.aborted; from += CHUNK) {
      const part = forecasts.slice(from, from + CHUNK);
      await deliver({ forecasts: part, scores: [], anomalies: [], analysedUpTo: cursor }, signal);
    }
    await deliver({ forecasts: forecasts.slice(0, CHUNK), scores, anomalies, analysedUpTo: upTo }, signal);
    cursor = upTo;
    if (caughtUp) changed.clear();
    return 0;
  }

  return {
    loadModels,
    start() {
      loop = supervise(
        {
          name: 'analysis',
          backoff: BACKOFF,
          turn,
          onFailure: () => {
            metrics.inc('loop_failures_total', 1, { loop: 'analysis' });
            cursor = reader.analysedUpTo();
          },
        },
        options,
      );
    },
    wake: () => loop?.wake(),
    stored: (upTo) => onStored?.(upTo),
    bundleArrived() {
      reload = true;
      loop?.wake();
    },
    async stop() {
      await loop?.stop();
      await loaded?.forecaster.close();
    },
  };
}

const endOf = (slot: StoredSlot): EpochMs => (slot.slotStartMs + SLOT_MS) as EpochMs;
