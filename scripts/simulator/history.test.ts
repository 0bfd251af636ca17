import { expect, test } from 'vitest';
import { DAY_MS, SLOT_MS } from '../../agent/domain/slot.js';
import { createFleet } from './fleet.js';
import { native } from './formats/native.js';
import { wmbusmeters } from './formats/wmbusmeters.js';
import { historyOf } from './history.js';
import type { SentReading } from './sent-reading.js';
import type { Theft } from './thefts.js';

const FROM_MS = Date.UTC(2026, 2, 2);
/** Two days and one and a half slots. */
const TO_MS = FROM_MS + 2 * DAY_MS + 450_000;
const theft: Theft = {
  customer: 0,
  fromMs: FROM_MS + DAY_MS,
  toMs: Number.POSITIVE_INFINITY,
  deed: { kind: 'tamper_flag', share: 0.5 },
};
const [meter] = createFleet({ customers: 1, feeders: 0, seed: 4, fromMs: FROM_MS, thefts: [theft] });
if (meter === undefined) throw new Error('a meter');

test('the past is a reading for each whole slot, from its middle, with the mean power of the slot', () => {
  const messages = [...historyOf(meter, native, FROM_MS, TO_MS)];
  const readings = messages.flatMap(({ payload }) => JSON.parse(payload) as SentReading[]);
  expect(readings.length).toBe(2 * 288 + 1);
  for (const [slot, { ts, power_w, import_wh }] of readings.entries()) {
    const startMs = FROM_MS + slot * SLOT_MS;
    expect(ts).toBe(startMs + SLOT_MS / 2);
    expect(import_wh).toBe(meter.at(ts).import_wh);
    const countedWh = meter.countedWh(startMs + SLOT_MS) - meter.countedWh(startMs);
    // Registers are shown in tenths of a watt hour: of five minutes, a tenth is 1.2 W.
    expect(Math.abs(power_w - countedWh * 12)).toBeLessThan(2.5);
  }
});

test('a native history comes in lists of a day, each due with its last reading', () => {
  const messages = [...historyOf(meter, native, FROM_MS, TO_MS)];
  expect(messages.map(({ payload }) => (JSON.parse(payload) as SentReading[]).length)).toEqual([288, 288, 1]);
  for (const { payload, dueMs, takenMs, tsMs, faults } of messages) {
    const last = (JSON.parse(payload) as SentReading[]).at(-1)?.ts;
    expect([dueMs, takenMs, tsMs, faults]).toEqual([last, last, last, []]);
  }
});

test('formats without lists send one by one, with what the meter says of itself', () => {
  const messages = [...historyOf(meter, wmbusmeters, FROM_MS, TO_MS)];
  expect(messages.length).toBe(2 * 288 + 1);
  const statuses = messages.map(({ payload }) => (JSON.parse(payload) as { status: string }).status);
  expect(statuses.slice(0, 288).every((status) => status === 'OK')).toBe(true);
  expect(statuses.slice(288).every((status) => status === 'tamper')).toBe(true);
});

test('without a past there is nothing', () => {
  expect([...historyOf(meter, native, FROM_MS, FROM_MS)]).toEqual([]);
});
