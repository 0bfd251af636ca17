import type { SlotWindows } from '../../models/window/slot-windows.js';
import type { Anomaly } from '../domain/anomaly.js';
import { type ChangeSeq, epochMs, type LogId, type MeterId } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import { WattwardenError } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import type { AnalysisResult, BandState } from '../domain/results.js';
import type { SlotScore } from '../domain/slot.js';
import type { StoredSlot } from '../domain/stored.js';
import { supervise } from '../domain/supervise.js';
import type { Forecasting } from '../forecast/forecasting.js';
import type { NewestSlot, Scored, ScoringModel } from '../fraud/scoring.js';
import type { Loaded, ModelStore } from '../model-store/store.js';
import type { FoundBundle, FoundResult } from './messages.js';
import type { Profiles } from './profiles.js';

interface AnalysisOptions {
  readonly reader: {
    readonly logId: LogId;
    slotsToAnalyse(
      after: ChangeSeq,
      limit: number,
    ): { readonly slots: readonly StoredSlot[]; readonly upTo: ChangeSeq };
  };
  readonly windows: SlotWindows;
  /** Puts into the windows what was analysed before, and says how far that reaches. */
  readonly fill: (signal: AbortSignal) => Promise<ChangeSeq>;
  readonly profiles: Profiles;
  readonly forecasting: Forecasting;
  readonly score: (slot: NewestSlot, model: ScoringModel) => Scored | undefined;
  readonly models: ModelStore;
  readonly post: (message: FoundResult | FoundBundle) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Analysis {
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
/** A restart forgets no more than this of what the bands have learnt. */
const BANDS_KEPT_EVERY_MS = 3_600_000;
/** When the writer has not stored a result for so long, it is handed over again. */
const STORED_WITHIN_MS = 60_000;

/**
 * Follows the slots with a cursor of its own; each result names how far it reaches, and is stored together with that.
 * Whatever fails, a model that does not load among it, is tried again.
 */
export function startAnalysis(options: AnalysisOptions): Analysis {
  const { reader, windows, profiles, forecasting, models, post, clock, metrics } = options;
  const changed = new Set<MeterId>();
  let cursor: ChangeSeq | undefined;
  let loaded: Loaded | undefined;
  let reload = true;
  let bandsKeptMs = clock.now();
  let said = '';
  let onStored: ((upTo: ChangeSeq) => void) | undefined;
  /** Computed and not stored yet. It is never computed again: the windows have moved on. */
  const undelivered: AnalysisResult[] = [];

  async function loadModels(): Promise<void> {
    const { loaded: next, refused } = await models.load();
    // An attempt that is repeated has nothing new to say.
    const saying = JSON.stringify(refused);
    if (saying !== said) for (const bundle of refused) post({ kind: 'bundle', bundle });
    said = saying;
    if (next === undefined) throw new WattwardenError('bundle.unreadable', 'no model serves on this machine');
    reload = false;
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
    post({ kind: 'result', logId: reader.logId, result });
    const outcome = await Promise.race([stored, late]);
    signal.removeEventListener('abort', end);
    end();
    if (outcome === 'late' && !signal.aborted)
      throw new Error(`the writer did not store a result in ${STORED_WITHIN_MS} ms`);
  }

  async function deliverAll(signal: AbortSignal): Promise<void> {
    for (let next = undelivered[0]; next !== undefined; next = undelivered[0]) {
      await deliver(next, signal);
      if (signal.aborted) return;
      undelivered.shift();
    }
  }

  /** Each slot on the window that ends with it, as it would have been had they come in order. */
  function scoreSlots(slots: readonly StoredSlot[], { bundle }: Loaded): { scores: SlotScore[]; anomalies: Anomaly[] } {
    const scores: SlotScore[] = [];
    const anomalies: Anomaly[] = [];
    for (const slot of slots.toSorted((a, b) => a.slotStartMs - b.slotStartMs)) {
      const { meter, slotStartMs } = slot;
      windows.put(meter, slotStartMs, slot.meanPowerDw / 10);
      const window = windows.get(meter, epochMs(slotStartMs + windows.slotMs));
      if (window === undefined) continue; // too old for the windows
      const expectedW = forecasting.expectedW(meter, slotStartMs);
      const scored = options.score({ meter, slotStartMs, window, expectedW }, bundle);
      if (scored === undefined) continue;
      scores.push(scored.score);
      if (scored.anomaly !== undefined) anomalies.push(scored.anomaly);
    }
    return { scores, anomalies };
  }

  function bandsDue(): BandState | undefined {
    const nowMs = clock.now();
    if (Math.abs(nowMs - bandsKeptMs) < BANDS_KEPT_EVERY_MS) return undefined;
    bandsKeptMs = nowMs;
    return forecasting.bands();
  }

  /** One chunk of slots: taken into the windows, scored, forecast once nothing more waits, delivered. */
  async function analyse(model: Loaded, signal: AbortSignal): Promise<number> {
    await deliverAll(signal);
    if (signal.aborted) return 0;
    cursor ??= await options.fill(signal);
    const { slots, upTo } = reader.slotsToAnalyse(cursor, CHUNK);
    if (slots.length === 0 && changed.size === 0) {
      cursor = upTo;
      return IDLE_MS;
    }
    for (const slot of slots) changed.add(slot.meter);
    const { scores, anomalies } = scoreSlots(slots, model);
    // While catching up, only the last forecast of each meter is of use to anybody.
    const isLast = slots.length < CHUNK;
    const forecast = isLast ? await attempt(() => forecasting.forecast(changed, model.forecaster)) : { value: [] };
    const forecasts = forecast.value ?? [];
    // Only the last part moves the cursor: after a kill in between, all of it is made again.
    for (let from = CHUNK; from < forecasts.length; from += CHUNK) {
      const part = forecasts.slice(from, from + CHUNK);
      undelivered.push({ forecasts: part, scores: [], anomalies: [], analysedUpTo: cursor });
    }
    undelivered.push({
      forecasts: forecasts.slice(0, CHUNK),
      scores,
      anomalies,
      analysedUpTo: upTo,
      bands: bandsDue(),
    });
    cursor = upTo;
    if (isLast && forecast.failure === undefined) changed.clear();
    await deliverAll(signal);
    // The scores are on their way; the forecasts are made after the back-off.
    if (forecast.failure !== undefined) throw forecast.failure;
    return 0;
  }

  async function turn(signal: AbortSignal): Promise<number> {
    const { failure } = reload ? await attempt(loadModels) : {};
    // The model before serves on; without one the slots wait in the buffer, and the windows are empty.
    const pauseMs = loaded === undefined ? undefined : await analyse(loaded, signal);
    if (failure !== undefined) throw failure;
    if (pauseMs === undefined) return IDLE_MS;
    return profiles.step() ? 0 : pauseMs;
  }

  const loop = supervise(
    {
      name: 'analysis',
      backoff: BACKOFF,
      turn,
      onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'analysis' }),
    },
    options,
  );
  return {
    wake: loop.wake,
    stored: (upTo) => onStored?.(upTo),
    bundleArrived() {
      reload = true;
      loop.now();
    },
    async stop() {
      await loop.stop();
      await loaded?.forecaster.close();
    },
  };
}

/** For a failure that must wait until what does not depend on it is done. */
async function attempt<T>(work: () => Promise<T>): Promise<{ readonly value?: T; readonly failure?: unknown }> {
  try {
    return { value: await work() };
  } catch (failure) {
    return { failure };
  }
}
