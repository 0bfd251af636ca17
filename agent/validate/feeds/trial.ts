import { METER_ID_RULE, parseMeterId } from '../../domain/brand.js';
import { messageOf } from '../../domain/errors.js';
import type { Feed, Parsed, Refusal, Sample } from './feed.js';

/** What would become of one message; the rules over value and time are not asked. */
export type Trial =
  | { readonly outcome: 'decoded'; readonly feed: string; readonly items: readonly (Sample | Refusal)[] }
  | { readonly outcome: 'ignored'; readonly feed: string }
  | { readonly outcome: 'refused'; readonly feed: string; readonly refusal: Refusal }
  /** `shipped`: feeds that would know the topic and are not enabled. */
  | { readonly outcome: 'unknown_topic'; readonly asked: readonly string[]; readonly shipped: readonly string[] };

interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly nearMs: number;
}

interface Feeds {
  readonly enabled: readonly Feed[];
  readonly shipped: readonly Feed[];
}

export function tryFeeds({ enabled, shipped }: Feeds, { topic, payload, nearMs }: Message): Trial {
  const feed = enabled.find((candidate) => candidate.match(topic) !== undefined);
  const captures = feed?.match(topic);
  if (feed === undefined || captures === undefined) {
    const others = shipped.filter((candidate) => candidate.match(topic) !== undefined);
    return { outcome: 'unknown_topic', asked: namesOf(enabled), shipped: namesOf(others) };
  }
  const json = parseJson(payload);
  const decoded = 'refusal' in json ? json.refusal : feed.decode(captures, json.value, nearMs);
  if (decoded === 'ignored') return { outcome: 'ignored', feed: feed.name };
  if ('reason' in decoded) return { outcome: 'refused', feed: feed.name, refusal: decoded };
  return { outcome: 'decoded', feed: feed.name, items: decoded.map(itemOf) };
}

const namesOf = (feeds: readonly Feed[]): readonly string[] => feeds.map(({ name }) => name);

function itemOf(item: Parsed): Sample | Refusal {
  if ('refusal' in item) return item.refusal;
  const { meter } = item.sample;
  if (parseMeterId(meter) !== undefined) return item.sample;
  return { reason: 'bad_meter_id', detail: `${meter} is not ${METER_ID_RULE}` };
}

function parseJson(text: string): { readonly value: unknown } | { readonly refusal: Refusal } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { refusal: { reason: 'not_json', detail: messageOf(error) } };
  }
}
