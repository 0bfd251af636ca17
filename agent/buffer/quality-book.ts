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

interface Tally {
  accepted: number;
  readonly rules: Map<Rule, { count: number; detail: string }>;
}

type Days = Map<number, Map<number, Tally>>;

export const DAY_MS = 86_400_000;
const EVERY_MS = { spokenOf: 60_000, all: 300_000 };
/** Meters written in one step: a few milliseconds of the thread that takes readings in. */
const STEP_METERS = 500;
/** Details are for a person to read; the refused payload has the rest. */
const DETAIL_CHARACTERS = 200;

export function openQualityBook(db: Connection, transactions: Transactions): QualityBook {
  const upsert = db.prepare(
    `insert into quality (day, meter, rule, count, detail) values (?, ?, ?, ?, ?)
     on conflict do update set count = count + excluded.count, detail = iif(excluded.detail = '', detail, excluded.detail)`,
  );
  let gathering: Days = new Map();
  let writing: Days = new Map();
  const beganMs = { spokenOf: Number.NEGATIVE_INFINITY, all: Number.NEGATIVE_INFINITY };

  function tallyOf(meter: number, receivedAtMs: number): Tally {
    const day = Math.floor(receivedAtMs / DAY_MS);
    let meters = gathering.get(day);
    if (meters === undefined) {
      meters = new Map();
      gathering.set(day, meters);
    }
    const known = meters.get(meter);
    if (known !== undefined) return known;
    const fresh = { accepted: 0, rules: new Map() };
    meters.set(meter, fresh);
    return fresh;
  }

  function count({ rules }: Tally, rule: Rule, detail: string): void {
    const known = rules.get(rule);
    if (known === undefined) rules.set(rule, { count: 1, detail });
    else {
      known.count += 1;
      if (detail !== '') known.detail = detail;
    }
  }

  /** Removed from memory after the commit only: what failed is written by the next step. */
  function write(limit: number): readonly number[] {
    const due: { readonly day: number; readonly meter: number; readonly tally: Tally }[] = [];
    for (const [day, meters] of writing) {
      for (const [meter, tally] of meters) {
        if (due.length < limit) due.push({ day, meter, tally });
      }
    }
    if (due.length === 0) return [];
    transactions.run(() => {
      for (const { day, meter, tally } of due) {
        if (tally.accepted > 0) upsert.run(day, meter, 'accepted', tally.accepted, '');
        for (const [rule, { count: times, detail }] of tally.rules) {
          upsert.run(day, meter, rule, times, detail.slice(0, DETAIL_CHARACTERS));
        }
      }
    });
    for (const { day, meter } of due) {
      const meters = writing.get(day);
      meters?.delete(meter);
      if (meters?.size === 0) writing.delete(day);
    }
    return due.map(({ meter }) => meter);
  }

  function turnAll(): void {
    writing = gathering;
    gathering = new Map();
  }

  function turnSpokenOf(): void {
    for (const [day, meters] of gathering) {
      const spokenOf = [...meters].filter(([, { rules }]) => rules.size > 0);
      if (spokenOf.length === 0) continue;
      writing.set(day, new Map(spokenOf));
      for (const [meter] of spokenOf) meters.delete(meter);
    }
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
      const tally = tallyOf(meter, receivedAtMs);
      tally.accepted += 1;
      if (flags === 0) return;
      for (const flag of FLAG_NAMES) if ((flags & (1 << FLAGS[flag].bit)) !== 0) count(tally, flag, '');
    },
    refused(meter, receivedAtMs, { reason, detail }) {
      count(tallyOf(meter, receivedAtMs), reason, detail);
    },
    explain(meter, receivedAtMs, { flag, detail }) {
      const known = tallyOf(meter, receivedAtMs).rules.get(flag);
      if (known !== undefined) known.detail = detail;
    },
    step(nowMs) {
      if (writing.size === 0 && gathering.size > 0) turnWhatIsDue(nowMs);
      return write(STEP_METERS);
    },
    writeAll() {
      write(Number.POSITIVE_INFINITY);
      turnAll();
      write(Number.POSITIVE_INFINITY);
    },
  };
}
