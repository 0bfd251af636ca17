import { invariant } from '../../domain/errors.js';
import type { Mapping } from '../../domain/feed-mapping.js';
import type { TimeZone } from '../../domain/time-zone.js';
import { parseTopicPattern, type TopicPattern } from '../../domain/topic-pattern.js';
import type { Captures, Feed, Parsed, Refusal } from './feed.js';
import { createMappingDecoder, type DecodeMapping } from './mapping-decoder.js';

// Sources that send one value per topic (Shelly Gen 1, vzlogger, Homie, emonhub, Home Assistant's statestream) will
// come between a feed like this one and the rules: their messages are parts of a sample, to be assembled per meter.
// Sparkplug B is no JSON and remembers each node's birth: a feed of its own beside this one.

/** One topic pattern with the mappings that read what is published there. */
interface Route {
  readonly pattern: TopicPattern;
  readonly except: readonly TopicPattern[];
  readonly decoders: readonly DecodeMapping[];
}

/** Under which route a topic was found: no part of a topic can be named like this. */
const ROUTE = Symbol('route');
type Routed = Captures & { readonly [ROUTE]?: Route };

interface Options {
  readonly name: string;
  readonly mappings: readonly Mapping[];
  /** Of times that come without an offset, where the mapping names none. */
  readonly zone: TimeZone;
}

/** A feed that is described by mappings alone. */
export function createMappedFeed({ name, mappings, zone }: Options): Feed {
  const compiled = mappings.map((mapping) => ({ mapping, decode: createMappingDecoder(mapping, zone) }));
  const routes = [...new Set(mappings.flatMap(({ topics }) => topics))].map((text): Route => {
    const readers = compiled.filter(({ mapping }) => mapping.topics.includes(text));
    return {
      pattern: patternOf(text),
      except: [...new Set(readers.flatMap(({ mapping }) => mapping.except ?? []))].map(patternOf),
      decoders: readers.map(({ decode }) => decode),
    };
  });

  return {
    name,
    subscriptions: [...new Set(routes.flatMap(({ pattern }) => pattern.filters))],
    match(topic): Routed | undefined {
      for (const route of routes) {
        const parts = matched(route.pattern, topic);
        if (parts === null) continue;
        if (route.except.some((pattern) => matched(pattern, topic) !== null)) return undefined;
        return capturesOf(route, parts);
      }
      return undefined;
    },
    decode(captures: Routed, json, nearMs) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        return { reason: 'bad_shape', detail: 'not a JSON object' };
      }
      const decoders = captures[ROUTE]?.decoders ?? [];
      return joined(
        decoders.map((decode) => decode(captures, json, nearMs)),
        json,
      );
    },
  };
}

function patternOf(text: string): TopicPattern {
  const pattern = parseTopicPattern(text);
  invariant(pattern !== undefined, `the topic ${text} was checked before`);
  return pattern;
}

const matched = ({ literal, regex }: TopicPattern, topic: string): RegExpExecArray | null =>
  topic.includes(literal) ? regex.exec(topic) : null;

function capturesOf(route: Route, parts: RegExpExecArray): Routed {
  const captures: Record<string, string> & { [ROUTE]?: Route } = { [ROUTE]: route };
  for (const [index, name] of route.pattern.captures.entries()) captures[name] = parts[index + 1] ?? '';
  return captures;
}

type Decoded = ReturnType<DecodeMapping>;

/** A payload may hold what several mappings look for: a plug that also reads a meter. */
function joined(results: readonly Decoded[], json: unknown): Decoded {
  const [only] = results;
  if (results.length === 1 && only !== undefined) return only;
  const taken = results.filter((result): result is readonly Parsed[] | Refusal => result !== 'ignored');
  const [first] = taken;
  if (first === undefined) return 'ignored';
  if (taken.length === 1) return first;
  return taken.flatMap((result): readonly Parsed[] => ('reason' in result ? [{ raw: json, refusal: result }] : result));
}
