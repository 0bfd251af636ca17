import { type EpochMs, epochMs, METER_ID_RULE, type MeterId, parseMeterId } from '../domain/brand.js';
import { flagBits } from '../domain/flags.js';
import type { Measure, Reading } from '../domain/reading.js';
import type { Rejected } from '../domain/rejection.js';
import type { Captures, Feed, Refusal, Sample } from './feeds/feed.js';
import { createRepeats, fingerprintOf } from './repeats.js';

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Rules {
  readonly maxPayloadBytes: number;
  readonly maxAgeMs: number;
  readonly maxFutureMs: number;
  readonly ranges: Readonly<Record<Measure, Range>>;
  readonly register: 'auto' | 'refuse';
  readonly maxRegistered: number;
}

/** What validation needs to know of a publication. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly repeated: boolean;
  readonly receivedAtMs: EpochMs;
}

export interface Verdict {
  readonly readings: readonly Reading[];
  readonly rejected: readonly Rejected[];
  /** The batch was not stored: forget that it was seen, so that its repeat is taken. */
  forget(): void;
}

/** Lives: whoever stores a reading of a new meter adds it. */
export interface RegisteredMeters {
  has(meter: MeterId): boolean;
  readonly size: number;
}

export interface Validator {
  /** Before the first batch: what each meter sent last, oldest first. */
  remember(readings: Iterable<Pick<Reading, 'meter' | 'takenAtMs'> & Partial<Reading>>): void;
  validate(batch: readonly Publication[]): Verdict;
}

/** Decides over every value set that arrives: a reading, or kept aside with a reason. Never throws. */
export function createValidator(rules: Rules, feeds: readonly Feed[], registered: RegisteredMeters): Validator {
  const repeats = createRepeats();

  function judge(
    sample: Sample,
    { repeated, receivedAtMs }: Publication,
    fresh: ReadonlySet<MeterId>,
  ): Reading | Refusal {
    const meter = meterOf(sample.meter, fresh);
    if (typeof meter !== 'string') return meter;
    for (const [measure, value] of Object.entries(sample.values) as [Measure, number][]) {
      const { min, max } = rules.ranges[measure];
      // Written so that NaN is outside as well.
      if (!(value >= min && value <= max)) {
        return { reason: 'out_of_range', detail: `${measure} ${value} is not within ${min} to ${max}` };
      }
    }
    const fingerprint = fingerprintOf(sample.values);
    const { ownTimeMs } = sample;
    if (ownTimeMs === undefined) {
      if (repeated && repeats.hasValues(meter, fingerprint)) return REPEAT;
      return reading(meter, sample, { receivedAtMs, takenAtMs: ownTick(meter, receivedAtMs), timeSource: 'gateway' });
    }
    if (ownTimeMs > receivedAtMs + rules.maxFutureMs)
      return { reason: 'bad_time', detail: `${iso(ownTimeMs)} lies in the future` };
    if (ownTimeMs < receivedAtMs - rules.maxAgeMs)
      return { reason: 'bad_time', detail: `${iso(ownTimeMs)} is too long ago` };
    const seen = repeats.at(meter, ownTimeMs, fingerprint);
    if (seen === 'same') return REPEAT;
    if (seen === 'other') return { reason: 'conflicting', detail: `other values are stored for ${iso(ownTimeMs)}` };
    return reading(meter, sample, { receivedAtMs, takenAtMs: ownTimeMs, timeSource: 'meter' });
  }

  /** Two readings without a time of their own may arrive in one millisecond, and are still two. */
  function ownTick(meter: MeterId, receivedAtMs: EpochMs): EpochMs {
    const last = repeats.lastTimeMs(meter);
    return last !== undefined && last >= receivedAtMs && last < receivedAtMs + 1_000 ? epochMs(last + 1) : receivedAtMs;
  }

  function meterOf(name: string, fresh: ReadonlySet<MeterId>): MeterId | Refusal {
    const meter = parseMeterId(name);
    if (meter === undefined) return { reason: 'bad_meter_id', detail: `${name} is not ${METER_ID_RULE}` };
    if (registered.has(meter) || fresh.has(meter)) return meter;
    if (rules.register === 'refuse') return { reason: 'unknown_meter', detail: `${meter} is not registered` };
    if (registered.size + fresh.size >= rules.maxRegistered) {
      return { reason: 'unknown_meter', detail: `${rules.maxRegistered} meters are registered already` };
    }
    return meter;
  }

  function feedOf(topic: string): { feed: Feed; captures: Captures } | undefined {
    for (const feed of feeds) {
      const captures = feed.match(topic);
      if (captures !== undefined) return { feed, captures };
    }
    return undefined;
  }

  /** One publication: its readings and refusals are added to what the batch has so far. */
  function take(publication: Publication, batch: Batch): void {
    const refuse = (refusal: Refusal, payload: Uint8Array): void => {
      batch.rejected.push({ ...refusal, topic: publication.topic, receivedAtMs: publication.receivedAtMs, payload });
    };
    const cut = publication.payload.subarray(0, rules.maxPayloadBytes);
    if (cut.length < publication.payload.length) {
      refuse({ reason: 'too_large', detail: `${publication.payload.length} bytes` }, cut);
      return;
    }
    const found = feedOf(publication.topic);
    if (found === undefined) {
      refuse({ reason: 'bad_meter_id', detail: 'no feed knows this topic' }, cut);
      return;
    }
    const json = parseJson(cut);
    if ('refusal' in json) {
      refuse(json.refusal, cut);
      return;
    }
    const items = found.feed.decode(found.captures, json.value, publication.receivedAtMs);
    if (items === 'ignored') return;
    if ('reason' in items) {
      refuse(items, cut);
      return;
    }
    for (const item of items) {
      const verdict = 'refusal' in item ? item.refusal : judge(item.sample, publication, batch.fresh);
      if ('reason' in verdict) {
        refuse(verdict, items.length === 1 ? cut : Buffer.from(JSON.stringify(item.raw)));
        continue;
      }
      if (!registered.has(verdict.meter)) batch.fresh.add(verdict.meter);
      repeats.add(verdict.meter, verdict.takenAtMs, fingerprintOf(verdict));
      batch.readings.push(verdict);
    }
  }

  return {
    remember(readings) {
      for (const past of readings) repeats.add(past.meter, past.takenAtMs, fingerprintOf(past));
    },
    validate(publications) {
      const batch: Batch = { readings: [], rejected: [], fresh: new Set() };
      for (const publication of publications) take(publication, batch);
      return {
        readings: batch.readings,
        rejected: batch.rejected,
        forget() {
          for (const { meter } of batch.readings.toReversed()) repeats.undo(meter);
        },
      };
    },
  };
}

interface Batch {
  readonly readings: Reading[];
  readonly rejected: Rejected[];
  /** Meters that this batch would register. */
  readonly fresh: Set<MeterId>;
}

function parseJson(payload: Uint8Array): { readonly value: unknown } | { readonly refusal: Refusal } {
  try {
    return { value: JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')) };
  } catch (error) {
    return { refusal: { reason: 'not_json', detail: error instanceof Error ? error.message : String(error) } };
  }
}

const REPEAT: Refusal = { reason: 'duplicate', detail: 'stored before' };

const iso = (atMs: EpochMs): string => {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
};

const reading = (
  meter: MeterId,
  { values, flags }: Sample,
  times: Pick<Reading, 'receivedAtMs' | 'takenAtMs' | 'timeSource'>,
): Reading => ({ meter, ...times, ...values, flags: flagBits(flags) });
