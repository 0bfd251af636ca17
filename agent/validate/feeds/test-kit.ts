import type { Mapping, ShippedFeed } from '../../domain/feed-mapping.js';
import { parseTimeZone } from '../../domain/time-zone.js';
import type { Parsed, Refusal } from './feed.js';
import { createFeeds } from './registry.js';

interface Given {
  readonly enabled?: readonly ShippedFeed[];
  readonly custom?: readonly Mapping[];
  readonly timeZone?: string;
}

export type Outcome = readonly Parsed[] | Refusal | 'ignored' | undefined;

/** What the first feed that knows a topic makes of a payload, as text as it was sent; undefined: none knows it. */
export function decoder({ enabled = [], custom = [], timeZone = 'Europe/Berlin' }: Given) {
  const zone = parseTimeZone(timeZone);
  if (zone === undefined) throw new Error(`${timeZone} is no zone`);
  const feeds = createFeeds({ enabled, custom, zone });
  return (topic: string, payload: string, nearMs?: number): Outcome => {
    for (const feed of feeds) {
      const captures = feed.match(topic);
      if (captures !== undefined) return feed.decode(captures, JSON.parse(payload), nearMs);
    }
    return undefined;
  };
}

/** The samples, or the reasons of the refusals, in their order. */
export function told(outcome: Outcome): unknown {
  if (outcome === undefined || outcome === 'ignored') return outcome;
  if ('reason' in outcome) return outcome.reason;
  return outcome.map((item) => ('sample' in item ? item.sample : item.refusal.reason));
}
