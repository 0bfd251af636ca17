import type { Anomaly } from '../domain/anomaly.js';
import type { ChangeSeq, MeterId } from '../domain/brand.js';
import type { PackedForecast } from '../domain/forecast.js';
import type { Logger } from '../domain/log.js';
import type { AnalysisResult } from '../domain/results.js';
import type { SlotScore } from '../domain/slot.js';
import { SCALE } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';
import type { MeterBook } from './meter-book.js';
import type { MeterStates } from './meter-state.js';
import type { ModelBook } from './model-book.js';
import type { Transactions } from './transactions.js';

interface ScoredSlot {
  readonly dataSeq: number;
  readonly energyMwh: number;
  readonly scoreE4: number | null;
  readonly rawScoreE4: number | null;
  readonly model: number | null;
}

export interface AnalysisStore {
  store(result: AnalysisResult): ChangeSeq;
}

interface Parts {
  readonly transactions: Transactions;
  readonly meters: MeterBook;
  readonly models: ModelBook;
  readonly states: MeterStates;
  readonly log: Logger;
}

/** Stores results so that storing them again changes nothing. */
export function openAnalysisStore(db: Connection, { transactions, meters, models, states, log }: Parts): AnalysisStore {
  const knownForecast = db.prepare<[number, number], { readonly model: number; readonly packed: Buffer }>(
    'select model, packed from forecast where issued_slot_ms = ? and meter = ?',
  );
  const insertForecast = db.prepare(
    'insert into forecast (issued_slot_ms, meter, revision, change_seq, model, packed) values (?, ?, 1, ?, ?, ?)',
  );
  const updateForecast = db.prepare(
    `update forecast set revision = revision + 1, change_seq = ?, model = ?, packed = ?
     where issued_slot_ms = ? and meter = ?`,
  );
  const scored = db.prepare<[number, number], ScoredSlot>(
    `select data_seq as dataSeq, energy_mwh as energyMwh, score_e4 as scoreE4, raw_score_e4 as rawScoreE4, model
     from slot where slot_start_ms = ? and meter = ?`,
  );
  const updateScore = db.prepare(
    `update slot set score_e4 = ?, raw_score_e4 = ?, model = ?, revision = revision + 1, change_seq = ?
     where slot_start_ms = ? and meter = ?`,
  );
  const anomalyState = db
    .prepare<[number, number], 'present' | 'cleared'>(
      `select iif(sentence = '', 'cleared', 'present') from anomaly where meter = ? and slot_start_ms = ?`,
    )
    .pluck();
  const insertAnomaly = db.prepare(
    `insert into anomaly (meter, slot_start_ms, revision, change_seq, score_e4, raw_score_e4, type, expected_mwh,
       actual_mwh, contributions, circumstances, sentence, model)
     values (@meter, @slotStartMs, 1, @changeSeq, @scoreE4, @rawScoreE4, @type, @expectedMwh, @actualMwh,
       @contributions, @circumstances, @sentence, @model)`,
  );
  const updateAnomaly = db.prepare(
    `update anomaly set revision = revision + 1, change_seq = @changeSeq, score_e4 = @scoreE4,
       raw_score_e4 = @rawScoreE4, type = @type, expected_mwh = @expectedMwh, actual_mwh = @actualMwh,
       contributions = @contributions, circumstances = @circumstances, sentence = @sentence, model = @model
     where meter = @meter and slot_start_ms = @slotStartMs and (score_e4 is not @scoreE4 or type is not @type
       or expected_mwh is not @expectedMwh or actual_mwh is not @actualMwh or contributions is not @contributions
       or circumstances is not @circumstances or sentence is not @sentence or model is not @model)`,
  );

  const clearAnomaly = db.prepare(
    `update anomaly set revision = revision + 1, change_seq = @changeSeq, score_e4 = @scoreE4,
       raw_score_e4 = @rawScoreE4, actual_mwh = @actualMwh, contributions = '[]', circumstances = null,
       sentence = '', model = @model
     where meter = @meter and slot_start_ms = @slotStartMs`,
  );

  function storeForecast({ meter: id, issuedSlotMs, modelVersion, packed }: PackedForecast): 'stored' | 'stranger' {
    const meter = meters.knownKey(id);
    if (meter === undefined) return 'stranger';
    const model = models.keyOf(modelVersion);
    const known = knownForecast.get(issuedSlotMs, meter);
    if (known === undefined) {
      insertForecast.run(issuedSlotMs, meter, transactions.nextChange(), model, packed);
      transactions.count('forecasts', 1);
    } else if (known.model !== model || !known.packed.equals(packed)) {
      updateForecast.run(transactions.nextChange(), model, packed, issuedSlotMs, meter);
    }
    states.saveForecast(meter, issuedSlotMs);
    return 'stored';
  }

  function storeScore(one: SlotScore, analysedUpTo: number): void {
    const meter = meters.knownKey(one.meter);
    if (meter === undefined) return;
    const slot = scored.get(one.slotStartMs, meter);
    if (slot === undefined || isOutdated(slot, analysedUpTo)) return;
    const scoreE4 = SCALE.scoreE4.pack(one.score);
    const rawScoreE4 = SCALE.scoreE4.pack(one.rawScore);
    const model = models.keyOf(one.modelVersion);
    if (slot.scoreE4 === scoreE4 && slot.rawScoreE4 === rawScoreE4 && slot.model === model) return;
    updateScore.run(scoreE4, rawScoreE4, model, transactions.nextChange(), one.slotStartMs, meter);
  }

  function storeAnomaly(anomaly: Anomaly, analysedUpTo: number): void {
    const meter = meters.knownKey(anomaly.meter);
    if (meter === undefined) return;
    const slot = scored.get(anomaly.slotStartMs, meter);
    if (slot === undefined || isOutdated(slot, analysedUpTo)) return;
    const known = anomalyState.get(meter, anomaly.slotStartMs);
    (known === undefined ? insertAnomaly : updateAnomaly).run({
      meter,
      slotStartMs: anomaly.slotStartMs,
      changeSeq: transactions.nextChange(),
      scoreE4: SCALE.scoreE4.pack(anomaly.score),
      rawScoreE4: SCALE.scoreE4.pack(anomaly.rawScore),
      type: anomaly.type,
      expectedMwh: SCALE.energyMwh.pack(anomaly.expectedWh),
      actualMwh: SCALE.energyMwh.pack(anomaly.actualWh),
      contributions: JSON.stringify(anomaly.contributions),
      circumstances: JSON.stringify(anomaly.circumstances),
      sentence: anomaly.sentence,
      model: models.keyOf(anomaly.modelVersion),
    });
    if (known !== 'present') transactions.count('anomalies', 1);
  }

  /** Late readings can turn what looked wrong into something ordinary. The row stays, so that the centre hears of it. */
  function withdrawAnomaly(one: SlotScore, analysedUpTo: number): void {
    const meter = meters.knownKey(one.meter);
    if (meter === undefined || anomalyState.get(meter, one.slotStartMs) !== 'present') return;
    const slot = scored.get(one.slotStartMs, meter);
    if (slot === undefined || isOutdated(slot, analysedUpTo)) return;
    clearAnomaly.run({
      meter,
      slotStartMs: one.slotStartMs,
      changeSeq: transactions.nextChange(),
      scoreE4: SCALE.scoreE4.pack(one.score),
      rawScoreE4: SCALE.scoreE4.pack(one.rawScore),
      actualMwh: slot.energyMwh,
      model: models.keyOf(one.modelVersion),
    });
    transactions.count('anomalies', -1);
  }

  return {
    store(result) {
      const anomalous = new Set(result.anomalies.map(placeOf));
      const strangers = transactions.run(() => {
        const outcomes = result.forecasts.map(storeForecast);
        for (const score of result.scores) {
          storeScore(score, result.analysedUpTo);
          if (!anomalous.has(placeOf(score))) withdrawAnomaly(score, result.analysedUpTo);
        }
        for (const anomaly of result.anomalies) storeAnomaly(anomaly, result.analysedUpTo);
        if (result.bands !== undefined) models.keepBands(result.bands);
        transactions.advance('analysed', Math.min(result.analysedUpTo, transactions.lastChange()));
        return outcomes.filter((outcome) => outcome === 'stranger').length;
      });
      if (strangers > 0)
        log.warn({ forecasts: strangers }, 'forecasts of meters that the buffer does not know were left out');
      return transactions.lastChange();
    },
  };
}

const placeOf = ({ meter, slotStartMs }: { readonly meter: MeterId; readonly slotStartMs: number }): string =>
  `${slotStartMs} ${meter}`;

/** Readings that came while the models were at work have changed the slot: it is going to be analysed again. */
const isOutdated = ({ dataSeq }: ScoredSlot, analysedUpTo: number): boolean => dataSeq > analysedUpTo;
