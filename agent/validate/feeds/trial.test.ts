import { expect, test } from 'vitest';
import { type Mapping, SHIPPED_FEEDS } from '../../domain/feed-mapping.js';
import { parseTimeZone } from '../../domain/time-zone.js';
import { createFeeds } from './registry.js';
import { tryFeeds } from './trial.js';

const zone = parseTimeZone('UTC');
if (zone === undefined) throw new Error('UTC is a zone');
const mapping: Mapping = {
  name: 'mine',
  topics: ['x/{id}'],
  meter: '{id}',
  values: [{ as: 'power_w', path: 'p', unit: 'W' }],
};
const feeds = {
  enabled: createFeeds({ enabled: ['native'], custom: [mapping], zone }),
  shipped: createFeeds({ enabled: SHIPPED_FEEDS, custom: [], zone }),
};
const trial = (topic: string, payload: string) => tryFeeds(feeds, { topic, payload, nearMs: 0 });

test('what becomes of a message', () => {
  expect(trial('meters/m1/reading', '[{"power_w":1},{"power_w":"1"}]')).toEqual({
    outcome: 'decoded',
    feed: 'native',
    items: [
      { meter: 'm1', values: { powerW: 1 }, flags: [] },
      { reason: 'bad_shape', detail: 'power_w is a string, not a number' },
    ],
  });
  expect(trial('x/1', '{"q":1}')).toEqual({ outcome: 'ignored', feed: 'mine' });
  expect(trial('x/1', '{"p":null}')).toMatchObject({
    outcome: 'refused',
    feed: 'mine',
    refusal: { reason: 'nothing_usable' },
  });
  expect(trial('x/1', 'Online')).toMatchObject({ outcome: 'refused', refusal: { reason: 'not_json' } });
});

test('a name that no meter may have is refused, as the rules would', () => {
  expect(trial('x/-1', '{"p":1}')).toMatchObject({ outcome: 'decoded', items: [{ reason: 'bad_meter_id' }] });
});

test('a topic that nobody asked for: who would know it', () => {
  expect(trial('zigbee2mqtt/a', '{}')).toEqual({
    outcome: 'unknown_topic',
    asked: ['mine', 'native'],
    shipped: ['zigbee2mqtt'],
  });
  expect(trial('a/b', '{}')).toEqual({ outcome: 'unknown_topic', asked: ['mine', 'native'], shipped: [] });
});
