import { type EpochMs, epochMs, METER_ID_RULE, type MeterId, parseMeterId } from '../domain/brand.js';
import type { Measure, Reading, Rejected } from '../domain/reading.js';
import { parsePayload, type Refusal, type Sample } from './payload.js';
import { createRecent, fingerprintOf } from './recent.js';

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
export function createValidator(rules: Rules, registered: RegisteredMeters): Validator {
  const recent = createRecent();

  function judge(meter: MeterId, sample: Sample, { repeated, receivedAtMs }: Publication): Reading | Refusal {
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
      if (repeated && recent.hasValues(meter, fingerprint)) return REPEAT;
      return reading(meter, sample, { receivedAtMs, takenAtMs: ownTick(meter, receivedAtMs), timeSource: 'gateway' });
    }
    if (ownTimeMs > receivedAtMs + rules.maxFutureMs)
      return { reason: 'bad_time', detail: `${iso(ownTimeMs)} lies in the future` };
    if (ownTimeMs < receivedAtMs - rules.maxAgeMs)
      return { reason: 'bad_time', detail: `${iso(ownTimeMs)} is too long ago` };
    const seen = recent.at(meter, ownTimeMs, fingerprint);
    if (seen === 'same') return REPEAT;
    if (seen === 'other') return { reason: 'conflicting', detail: `other values are stored for ${iso(ownTimeMs)}` };
    return reading(meter, sample, { receivedAtMs, takenAtMs: ownTimeMs, timeSource: 'meter' });
  }

  /** Two readings without a time of their own may arrive in one millisecond, and are still two. */
  function ownTick(meter: MeterId, receivedAtMs: EpochMs): EpochMs {
    const last = recent.lastTimeMs(meter);
    return last !== undefined && last >= receivedAtMs && last < receivedAtMs + 1_000 ? epochMs(last + 1) : receivedAtMs;
  }

  function meterOf(topic: string, fresh: ReadonlySet<MeterId>): MeterId | Refusal {
    const name = topic.split('/')[1] ?? '';
    const meter = parseMeterId(name);
    if (meter === undefined) return { reason: 'bad_meter_id', detail: `${name} is not ${METER_ID_RULE}` };
    if (registered.has(meter) || fresh.has(meter)) return meter;
    if (rules.register === 'refuse') return { reason: 'unknown_meter', detail: `${meter} is not registered` };
    if (registered.size + fresh.size >= rules.maxRegistered) {
      return { reason: 'unknown_meter', detail: `${rules.maxRegistered} meters are registered already` };
    }
    return meter;
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
    const meter = meterOf(publication.topic, batch.fresh);
    if (typeof meter !== 'string') {
      refuse(meter, cut);
      return;
    }
    const items = parsePayload(cut);
    if ('reason' in items) {
      refuse(items, cut);
      return;
    }
    for (const item of items) {
      const verdict = 'refusal' in item ? item.refusal : judge(meter, item.sample, publication);
      if ('reason' in verdict) {
        refuse(verdict, items.length === 1 ? cut : Buffer.from(JSON.stringify(item.raw)));
        continue;
      }
      if (!registered.has(meter)) batch.fresh.add(meter);
      recent.add(meter, verdict.takenAtMs, fingerprintOf(verdict));
      batch.readings.push(verdict);
    }
  }

  return {
    remember(readings) {
      for (const past of readings) recent.add(past.meter, past.takenAtMs, fingerprintOf(past));
    },
    validate(publications) {
      const batch: Batch = { readings: [], rejected: [], fresh: new Set() };
      for (const publication of publications) take(publication, batch);
      return {
        readings: batch.readings,
        rejected: batch.rejected,
        forget() {
          for (const { meter } of batch.readings.toReversed()) recent.undo(meter);
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

const REPEAT: Refusal = { reason: 'duplicate', detail: 'stored before' };

const iso = (atMs: EpochMs): string => {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
};

const reading = (
  meter: MeterId,
  { values }: Sample,
  times: Pick<Reading, 'receivedAtMs' | 'takenAtMs' | 'timeSource'>,
): Reading => ({ meter, ...times, ...values });
