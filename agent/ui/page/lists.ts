import type { AnomalyRow, ReadingRow } from '../../api/wire.js';
import { byId, createList, html, setText } from './elements.js';
import { formatEnergy, formatExactTime, formatMoment, formatPower, formatVoltage } from './format.js';

const anomaliesNote = byId('anomalies-note');
const readingsNote = byId('readings-note');

/** What the theft model found, newest first; picking one shows its meter. */
export function createAnomalyList(onSelect: (meter: string) => void): (anomalies: readonly AnomalyRow[]) => void {
  const list = createList<AnomalyRow>(
    byId('anomalies'),
    (anomaly) => `${anomaly.startMs} ${anomaly.meter}`,
    (anomaly) => {
      const score = html('span', { class: 'score' });
      const sentence = html('p', { class: 'sentence' });
      const meter = html('button', { type: 'button', class: 'pick' }, anomaly.meter);
      meter.addEventListener('click', () => onSelect(anomaly.meter));
      const what = html('span', { class: 'type' }, anomaly.type.replaceAll('_', ' '));
      const when = html('time', { datetime: new Date(anomaly.startMs).toISOString() }, formatMoment(anomaly.startMs));
      const head = html('p', { class: 'anomaly-head' }, meter, ' ', what, ' ', when);
      return {
        element: html('li', {}, score, html('div', {}, head, sentence)),
        update(now) {
          setText(score, now.score.toFixed(2));
          setText(sentence, now.sentence);
        },
      };
    },
  );
  return (anomalies) => {
    list(anomalies);
    setText(anomaliesNote, anomalies.length === 0 ? 'None found yet.' : '');
  };
}

const listReadings = createList<ReadingRow>(
  byId('reading-rows'),
  (reading) => String(reading.seq),
  (reading) => ({
    element: html(
      'tr',
      {},
      html('td', {}, formatExactTime(reading.takenAtMs)),
      html('td', { class: 'name' }, reading.meter),
      html('td', { class: 'number' }, formatPower(reading.powerW)),
      html('td', { class: 'number minor' }, formatEnergy(reading.importWh)),
      html('td', { class: 'number' }, formatVoltage(reading.voltageV)),
    ),
    // A reading never changes.
    update: () => undefined,
  }),
);

export function showReadings(readings: readonly ReadingRow[]): void {
  listReadings(readings);
  setText(readingsNote, readings.length === 0 ? 'No reading is stored yet.' : '');
}
