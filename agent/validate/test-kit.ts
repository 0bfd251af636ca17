import { epochMs, type MeterId } from '../domain/brand.js';
import { type Flag, flagsOf } from '../domain/flags.js';
import type { Reading } from '../domain/reading.js';
import type { Feed, Sample } from './feeds/feed.js';
import { createValidator, type Publication, type Rules, type Validator } from './validator.js';

/** For tests only: a validator and the few words to speak with it. */

export const NOW = epochMs(Date.UTC(2026, 0, 15, 12));

export const RULES: Rules = {
  maxPayloadBytes: 4_096,
  maxAgeMs: 400 * 86_400_000,
  maxFutureMs: 300_000,
  requireTime: false,
  badClock: 'refuse',
  register: 'auto',
  maxRegistered: 3,
  capW: 60_000,
  registerToleranceWh: 100,
  meters: new Map(),
  ranges: {
    powerW: { min: -1e6, max: 1e6 },
    importWh: { min: 0, max: 1e12 },
    exportWh: { min: 0, max: 1e12 },
    voltageV: { min: 0, max: 500 },
    currentA: { min: -500, max: 500 },
    powerFactor: { min: -1, max: 1 },
    frequencyHz: { min: 40, max: 70 },
  },
};

/** Takes a sample as it stands in the payload, without any feed's own view of the world. */
export const sampleFeed: Feed = {
  name: 'sample',
  subscriptions: ['sample'],
  match: (topic) => (topic === 'sample' ? {} : undefined),
  decode: (_captures, json) => [{ raw: json, sample: json as Sample }],
};

export interface Said {
  readonly reading: Reading | undefined;
  readonly flags: readonly Flag[];
  readonly reason: string | undefined;
  readonly notes: readonly string[];
  forget(): void;
}

export interface Meter {
  readonly validator: Validator;
  /** `atS`: seconds after NOW, at which it arrives. */
  says(values: Sample['values'], atS: number, more?: Partial<Sample>): Said;
}

/** One meter without a clock of its own. */
export function oneMeter(rules: Partial<Rules> = {}): Meter {
  const registered = new Set<MeterId>();
  const validator = createValidator({ ...RULES, ...rules }, [sampleFeed], registered);
  return {
    validator,
    says(values, atS, more = {}) {
      const sample: Sample = { meter: 'm1', values, flags: [], ...more };
      const publication: Publication = {
        topic: 'sample',
        payload: Buffer.from(JSON.stringify(sample)),
        repeated: false,
        receivedAtMs: epochMs(NOW + atS * 1_000),
      };
      const { readings, rejected, notes, forget } = validator.validate([publication]);
      for (const { meter } of readings) registered.add(meter);
      return {
        reading: readings[0],
        flags: flagsOf(readings[0]?.flags ?? 0),
        reason: rejected[0]?.reason,
        notes: notes.map(({ flag, detail }) => `${flag}: ${detail}`),
        forget,
      };
    },
  };
}
