import type { Mapping, ShippedFeed } from '../../domain/feed-mapping.js';
import type { TimeZone } from '../../domain/time-zone.js';
import type { Feed } from './feed.js';
import { createMappedFeed } from './mapped.js';
import { nativeFeed } from './native.js';
import { dsmrReader } from './shipped/dsmr-reader.js';
import { shelly } from './shipped/shelly.js';
import { tasmota } from './shipped/tasmota.js';
import { wmbusmeters } from './shipped/wmbusmeters.js';
import { zigbee2mqtt } from './shipped/zigbee2mqtt.js';

export const SHIPPED_MAPPINGS: Readonly<Record<Exclude<ShippedFeed, 'native'>, readonly Mapping[]>> = {
  tasmota,
  shelly,
  zigbee2mqtt,
  'dsmr-reader': dsmrReader,
  wmbusmeters,
};

export interface FeedOptions {
  readonly enabled: readonly ShippedFeed[];
  readonly custom: readonly Mapping[];
  readonly zone: TimeZone;
}

/** In the order in which they are asked: the first that knows a topic has it, and what somebody wrote himself wins. */
export function createFeeds({ enabled, custom, zone }: FeedOptions): readonly Feed[] {
  return [
    ...custom.map((mapping) => createMappedFeed({ name: mapping.name, mappings: [mapping], zone })),
    ...enabled.map((name) =>
      name === 'native' ? nativeFeed : createMappedFeed({ name, mappings: SHIPPED_MAPPINGS[name], zone }),
    ),
  ];
}
