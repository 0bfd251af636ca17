import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MeterId } from '../../agent/domain/brand.js';
import { SHIPPED_FEEDS } from '../../agent/domain/feed-mapping.js';
import { MEASURES } from '../../agent/domain/reading.js';
import { REJECT_REASONS } from '../../agent/domain/rejection.js';
import { parseTimeZone } from '../../agent/domain/time-zone.js';
import { createFeeds } from '../../agent/validate/feeds/registry.js';
import { NOW, RULES } from '../../agent/validate/test-kit.js';
import { createValidator } from '../../agent/validate/validator.js';

/** FUZZ_RUNS makes it longer; FUZZ_SEED repeats a failed run. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

/** What real devices send: most generated payloads are one of these with something changed. */
const REAL: readonly (readonly [topic: string, payload: string])[] = [
  ['meters/m1/reading', '{"ts":1768478400000,"power_w":512.5,"import_wh":1002331}'],
  ['meters/m1/reading', '[{"power_w":1},{"power_w":2}]'],
  [
    'meters/m1/reading',
    '{"ts0":1768478400000,"step_ms":1000,"fields":["power_w","import_wh"],"rows":[[1,2],null,[3,4]]}',
  ],
  ['tele/plug1/SENSOR', '{"Time":"2021-10-26T17:28:45","ENERGY":{"Total":9098.245,"Power":170,"Current":1.000}}'],
  [
    'tele/plug1/SENSOR',
    '{"Time":"2021-10-26T17:28:45","ENERGY":{"Power":[8.15,0],"Factor":[0.00,0.00],"Voltage":237}}',
  ],
  ['tele/reader/SENSOR', '{"Time":"2022-07-07T13:01:11","SML":{"Total_in":34507.4761,"Power_curr":-894}}'],
  ['shellypro3em-aabbcc/status/em:0', '{"id":0,"a_voltage":236.2,"n_current":null,"total_act_power":186.310}'],
  ['shellyplus1pm-aabbcc/status/switch:0', '{"id":0,"apower":15.8,"voltage":230.1,"aenergy":{"total":9492.468}}'],
  ['zigbee2mqtt/Freezer', '{"state":"ON","power":66,"current":0.29,"voltage":231,"energy":12.34}'],
  [
    'wmbusmeters/10101010',
    '{"media":"electricity","id":"10101010","current_power_consumption_kw":0.33,"timestamp":"2019-03-20T11:57:02Z"}',
  ],
  [
    'dsmr/json',
    '{"timestamp":"2025-01-15T10:30:00Z","electricity_delivered_1":"1073.079","electricity_currently_delivered":"1.143"}',
  ],
];

const piece = fc.oneof(
  fc.constantFrom(
    'null',
    '"unknown"',
    '1e999',
    '-0',
    '""',
    '[]',
    '{}',
    '"\u0000"',
    '99999999999999999999',
    '"NaN"',
    '{"__proto__":1}',
  ),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);

/** A value, a key or some bytes of a real payload replaced, or cut off. */
const altered = fc
  .record({
    real: fc.constantFrom(...REAL),
    at: fc.nat(),
    with: piece,
    how: fc.constantFrom('value', 'bytes', 'cut', 'none'),
  })
  .map(({ real: [topic, payload], at, with: other, how }) => {
    const values = [...payload.matchAll(/(?<=[:[,])(?:"[^"]*"|-?[\d.]+|null)/g)];
    const chosen = values[at % Math.max(1, values.length)];
    const place = at % payload.length;
    if (how === 'cut') return { topic, text: payload.slice(0, place) };
    if (how === 'bytes') return { topic, text: payload.slice(0, place) + other + payload.slice(place + 3) };
    if (how === 'none' || chosen === undefined) return { topic, text: payload };
    return { topic, text: payload.slice(0, chosen.index) + other + payload.slice(chosen.index + chosen[0].length) };
  });
const wild = fc.record({
  topic: fc.oneof(fc.constantFrom(...REAL.map(([topic]) => topic)), fc.string({ maxLength: 80 })),
  text: fc.oneof(
    fc.json(),
    fc.string(),
    fc.nat(3_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  ),
});
const sent = fc.record({
  what: fc.oneof({ arbitrary: altered, weight: 4 }, { arbitrary: wild, weight: 1 }),
  repeated: fc.boolean(),
  afterMs: fc.integer({ min: -1_000, max: 100_000 }),
});

test(`whatever is published is a reading, or has a reason (seed ${SEED})`, { timeout: 60_000 + RUNS * 5 }, () => {
  const zone = parseTimeZone('Europe/Berlin');
  if (zone === undefined) throw new Error('there is such a zone');
  const feeds = createFeeds({ enabled: SHIPPED_FEEDS, custom: [], zone });
  const registered = new Set<MeterId>();
  const validator = createValidator({ ...RULES, maxRegistered: 500 }, feeds, registered);
  const outcomes: Record<string, number> = {};
  const memoryMb: number[] = [];
  let nowMs = NOW;
  let runs = 0;
  fc.assert(
    fc.property(sent, ({ what: { topic, text }, repeated, afterMs }) => {
      nowMs = (nowMs + afterMs) as typeof nowMs;
      const payload = Buffer.from(text);
      const { readings, rejected } = validator.validate([{ topic, payload, repeated, receivedAtMs: nowMs }]);
      for (const reading of readings) {
        registered.add(reading.meter);
        expect(MEASURES.every((measure) => Number.isFinite(reading[measure] ?? 0))).toBe(true);
        expect(Number.isSafeInteger(reading.takenAtMs)).toBe(true);
      }
      for (const { reason, detail } of rejected) {
        expect(REJECT_REASONS).toHaveProperty(reason);
        expect(detail).not.toBe('');
      }
      const outcome = readings.length > 0 ? 'reading' : (rejected[0]?.reason ?? 'ignored');
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      // A feed may pass over a message that is no reading, but never one of our own format.
      if (topic.startsWith('meters/') && topic.endsWith('/reading')) expect(outcome).not.toBe('ignored');
      runs += 1;
      if (runs % Math.ceil(RUNS / 10) === 0) memoryMb.push(Math.round(process.memoryUsage().rss / 1e6));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  console.log({ outcomes, memoryMb });
  expect(outcomes['reading']).toBeGreaterThan(RUNS / 20);
  expect((memoryMb.at(-1) ?? 0) - (memoryMb[3] ?? 0)).toBeLessThan(100);
});
