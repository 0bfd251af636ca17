import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs } from '../../agent/domain/brand.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import type { StoredSlot } from '../../agent/domain/stored.js';
import { createFleet } from '../../scripts/simulator/fleet.js';
import { openLoneGateway } from '../kit/lone-gateway.js';
import { until } from '../kit/until.js';

const SLOTS = 800;
/** So that the newest slot has ended, whatever grace it is given. */
const LAST_SLOT = Math.floor(Date.now() / SLOT_MS) - 3;
const FIRST_SLOT = LAST_SLOT - SLOTS + 1;
/** As reference: 0.6 in ten-thousandths. */
const DECLARED_E4 = 6_000;

interface Analysed {
  readonly slots: readonly StoredSlot[];
  readonly sentences: readonly string[];
}

/** What a gateway with these settings makes of the same days of the same meters. */
async function analysedUnder(fraud: object): Promise<Analysed> {
  const gateway = await openLoneGateway({ buffer: { slot_grace_s: 0 }, fraud });
  try {
    const fleet = createFleet({ customers: 6, feeders: 1, seed: 3, fromMs: FIRST_SLOT * SLOT_MS });
    const client = await connectAsync(`mqtt://${gateway.mqtt}`);
    const ts0 = FIRST_SLOT * SLOT_MS + SLOT_MS / 2;
    for (const meter of fleet) {
      const rows = Array.from({ length: SLOTS }, (_, slot) => [meter.at(ts0 + slot * SLOT_MS).power_w]);
      const batch = { ts0, step_ms: SLOT_MS, fields: ['power_w'], rows };
      await client.publishAsync(`meters/${meter.id}/reading`, JSON.stringify(batch), { qos: 1 });
    }
    await client.endAsync();
    return await until(
      'all slots of the later days are scored',
      () => {
        const reader = openReader(join(gateway.dir, 'data', 'buffer.sqlite'));
        const slots = reader.meters().flatMap(({ id }) => reader.slotsOf(id, epochMs(0), epochMs(Date.now())));
        const sentences = reader.anomalies({ limit: 1_000 }).map(({ sentence }) => sentence);
        reader.close();
        const scored = slots.filter(({ scoreE4 }) => scoreE4 !== null);
        const isDone = scored.length > fleet.length * (SLOTS - 300) && slots.length >= fleet.length * (SLOTS - 2);
        return isDone && { slots: scored, sentences };
      },
      { withinMs: 60_000 },
    );
  } finally {
    await gateway.close();
  }
}

const keyOf = ({ meter, slotStartMs }: StoredSlot): string => `${meter} ${slotStartMs}`;
const alarms = (slots: readonly StoredSlot[]) =>
  new Set(slots.filter(({ scoreE4 }) => (scoreE4 ?? 0) >= DECLARED_E4).map(keyOf));

test('fraud.contamination decides which scores reach 0.6, in place of the rate of the bundle, and fraud.language how it is said', {
  timeout: 180_000,
}, async () => {
  const { slots: declared, sentences: english } = await analysedUnder({});
  const { slots: expected, sentences: french } = await analysedUnder({ contamination: 0.02, language: 'fr' });
  const rawOf = (slots: readonly StoredSlot[]) => new Map(slots.map((slot) => [keyOf(slot), slot.rawScoreE4]));
  const [before, after] = [rawOf(declared), rawOf(expected)];
  const both = [...before.keys()].filter((key) => after.has(key));
  expect(both.length).toBeGreaterThan(1_000);
  expect(both.filter((key) => before.get(key) !== after.get(key))).toEqual([]);
  const [few, more] = [alarms(declared), alarms(expected)];
  expect([...few].filter((key) => !more.has(key))).toEqual([]);
  expect(more.size).toBeGreaterThan(2 * few.size);
  expect(more.size).toBeGreaterThan(20);
  expect(french.length).toBeGreaterThan(20);
  expect(french.filter((sentence) => !sentence.includes('étaient attendus'))).toEqual([]);
  expect(english.filter((sentence) => !sentence.includes('were expected'))).toEqual([]);
});
