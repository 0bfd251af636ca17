import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { settingsSchema } from '../config/schema.js';
import { createWriteBudget } from './ops/write-budget.js';
import { enduranceRules, feedOptions, judgementSettings, threadOptions } from './settings.js';
import { createFeeds, SHIPPED_MAPPINGS } from './validate/feeds/registry.js';

test.each(Object.entries(SHIPPED_MAPPINGS))('what %s is made of could stand in a file', (_, mappings) => {
  for (const mapping of mappings) {
    expect(settingsSchema.parse({ feeds: { custom: [mapping] } }).feeds.custom).toEqual([mapping]);
  }
});

test('feeds are asked in the order of the settings, those of one’s own first', () => {
  const [mapping] = SHIPPED_MAPPINGS['dsmr-reader'];
  const custom = [{ ...mapping, name: 'mine' }];
  const settings = settingsSchema.parse({ feeds: { enabled: ['tasmota', 'native'], custom } });
  expect(createFeeds(feedOptions(settings)).map(({ name }) => name)).toEqual(['mine', 'tasmota', 'native']);
  expect(createFeeds(feedOptions(settingsSchema.parse({}))).map(({ name }) => name)).toEqual(['native']);
});

test('local times are those of the machine until a zone is set', () => {
  const machine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(feedOptions(settingsSchema.parse({})).zone.name).toBe(machine);
  const kolkata = settingsSchema.parse({ feeds: { time_zone: 'Asia/Kolkata' } });
  expect(feedOptions(kolkata).zone.name).toBe('Asia/Kolkata');
  expect(judgementSettings(kolkata)?.timeZone).toBe('Asia/Kolkata');
});

test('the window that commits have unless told otherwise widens when a day has written more than it should', () => {
  const rules = enduranceRules(settingsSchema.parse({}));
  const budget = createWriteBudget(rules);
  const tooMuch = 2 * rules.bytesPerDay;
  budget.update({ lastDay: tooMuch, perDay: tooMuch });
  expect(budget.windowMs).toBeGreaterThan(rules.windowMs);
});

test.each([5, 30])('a gateway of slots of %i minutes looks for the bundle that is shipped for them', (minutes) => {
  const settings = settingsSchema.parse({ buffer: { slot_minutes: minutes } });
  const { slotMinutes, shippedDir } = threadOptions(settings).models;
  expect(slotMinutes).toBe(minutes);
  const bundles = fileURLToPath(new URL('../models/bundles', import.meta.url));
  expect(readdirSync(bundles)).toContain(basename(shippedDir));
});

test('a contamination that is set reaches the models, and nothing does where the bundle shall decide', () => {
  const modelsOf = (fraud: object) => threadOptions(settingsSchema.parse({ fraud })).models;
  expect(modelsOf({ contamination: 0.01 })).toMatchObject({ contamination: 0.01 });
  expect(modelsOf({})).not.toHaveProperty('contamination');
  for (const contamination of [0.004, 0.021]) expect(() => modelsOf({ contamination })).toThrow('contamination');
});
