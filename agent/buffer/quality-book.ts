import { FLAG_NAMES, FLAGS } from '../domain/flags.js';
import type { Rule } from '../domain/quality.js';
import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

/**
 * How often each rule spoke, by meter and day. Counted in memory and written once a minute; of a meter with which all is
 * well every five minutes, because those rows are most of what would be written. A kill loses the counts since then,
 * while the readings with their flags and what was refused are on disk.
 */
export interface QualityBook {
  accepted(meter: number, receivedAtMs: number, flags: number): void;
  refused(meter: number, receivedAtMs: number, refusal: { readonly reason: Rule; readonly detail: string }): void;
  /** The words for a flag that `accepted` has counted. */
  explain(meter: number, receivedAtMs: number, note: { readonly flag: Rule; readonly detail: string }): void;
  /** One bounded step, when it is time. Gives the meters that it wrote. */
  step(nowMs: number): readonly number[];
  writeAll(): void;
}

/** Meters that are not registered, all together: whoever publishes under ten thousand names fills one row. */
export const NO_METER = 0;

type Rules = Map<Rule, { count: number; detail: string }>;

/** What one day has gathered. Numbers by the number of the meter, because each reading adds one. */
interface DayCounts {
  accepted: Uint32Array;
  readonly rules: Map<number, Rules>;
}

interface Tally {
  readonly day: number;
  readonly meter: number;
  readonly accepted: number;
  readonly rules: Rules | undefined;
}

export const DAY_MS = 86_400_000;
const EVERY_MS = { spokenOf: 60_000, all: 300_000 };
/** Meters written in one step: a few milliseconds of the thread that takes readings in. */
const STEP_METERS = 500;
const METERS_AT_FIRST = 64;
/** Details are for a person to read; the refused payload has the rest. */
const DETAIL_CHARACTERS = 200;

export function openQualityBook(db: Connection, transactions: Transactions): QualityBook {
  const upsert = db.prepare(
    `insert into quality (day, meter, rule, count, detail) values (?, ?, ?, ?, ?)
     on conflict do update set count = count + excluded.count, detail = iif(excluded.detail = '', detail, excluded.detail)`,
  );
  let gathering = new Map<number, DayCounts>();
  let writing: Tally[] = [];
  const beganMs = { spokenOf: Number.NEGATIVE_INFINITY, all: Number.NEGATIVE_INFINITY };

  function countsOf(receivedAtMs: number): DayCounts {
    const day = Math.floor(receivedAtMs / DAY_MS);
    const known = gathering.get(day);
    if (known !== undefined) return known;
    const fresh = { accepted: new Uint32Array(METERS_AT_FIRST), rules: new Map() };
    gathering.set(day, fresh);
    return fresh;
  }

  function countAccepted(counts: DayCounts, meter: number): void {
    if (meter >= counts.accepted.length) {
      const wider = new Uint32Array(2 * meter);
      wider.set(counts.accepted);
      counts.accepted = wider;
    }
    counts.accepted[meter] = (counts.accepted[meter] ?? 0) + 1;
  }

  function count({ rules }: DayCounts, meter: number, { rule, detail }: { rule: Rule; detail: string }): void {
    const ofMeter: Rules = rules.get(meter) ?? new Map();
    rules.set(meter, ofMeter);
    const known = ofMeter.get(rule);
    if (known === undefined) ofMeter.set(rule, { count: 1, detail });
    else {
      known.count += 1;
      if (detail !== '') known.detail = detail;
    }
  }

  /** Removed from memory after the commit only: what failed is written by the next step. */
  function write(limit: number): readonly number[] {
    const due = writing.slice(0, limit);
    if (due.length === 0) return [];
    transactions.run(() => {
      for (const { day, meter, accepted, rules = [] } of due) {
        if (accepted > 0) upsert.run(day, meter, 'accepted', accepted, '');
        for (const [rule, { count: times, detail }] of rules) {
          upsert.run(day, meter, rule, times, detail.slice(0, DETAIL_CHARACTERS));
        }
      }
    });
    writing = writing.slice(due.length);
    return due.map(({ meter }) => meter);
  }

  function turnSpokenOf(): void {
    for (const [day, { accepted, rules }] of gathering) {
      for (const [meter, ofMeter] of rules) {
        writing.push({ day, meter, accepted: accepted[meter] ?? 0, rules: ofMeter });
        if (meter < accepted.length) accepted[meter] = 0;
      }
      rules.clear();
    }
  }

  function turnAll(): void {
    turnSpokenOf();
    for (const [day, { accepted }] of gathering) {
      for (const [meter, times] of accepted.entries()) {
        if (times > 0) writing.push({ day, meter, accepted: times, rules: undefined });
      }
    }
    gathering = new Map();
  }

  function turnWhatIsDue(nowMs: number): void {
    if (nowMs - beganMs.spokenOf < EVERY_MS.spokenOf) return;
    beganMs.spokenOf = nowMs;
    if (nowMs - beganMs.all < EVERY_MS.all) turnSpokenOf();
    else {
      beganMs.all = nowMs;
      turnAll();
    }
  }

  return {
    accepted(meter, receivedAtMs, flags) {
      const counts = countsOf(receivedAtMs);
      countAccepted(counts, meter);
      if (flags === 0) return;
      for (const flag of FLAG_NAMES) {
        if ((flags & (1 << FLAGS[flag].bit)) !== 0) count(counts, meter, { rule: flag, detail: '' });
      }
    },
    refused(meter, receivedAtMs, { reason, detail }) {
      count(countsOf(receivedAtMs), meter, { rule: reason, detail });
    },
    explain(meter, receivedAtMs, { flag, detail }) {
      const known = countsOf(receivedAtMs).rules.get(meter)?.get(flag);
      if (known !== undefined) known.detail = detail;
    },
    step(nowMs) {
      if (writing.length === 0 && gathering.size > 0) turnWhatIsDue(nowMs);
      return write(STEP_METERS);
    },
    writeAll() {
      write(Number.POSITIVE_INFINITY);
      turnAll();
      write(Number.POSITIVE_INFINITY);
    },
  };
}
