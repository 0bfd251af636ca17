/** What a topic must look like, and which parts of it are given a name. */
export interface TopicPattern {
  readonly text: string;
  /** Names of the parts, in the order of the groups of `regex`. */
  readonly captures: readonly string[];
  readonly regex: RegExp;
  /** Stands in every topic that matches: looked for first, because that is cheaper than the expression. */
  readonly literal: string;
  /** MQTT topic filters that cover every topic that matches. */
  readonly filters: readonly string[];
}

/** MQTT has no filter for "any number of levels, then this": each number of levels is a filter of its own. */
const MAX_SPAN = 4;
const MAX_CHARACTERS = 256;

export const TOPIC_PATTERN_RULE = `a topic with at most one {name} in a level; one level may be {name...}, which stands for 1 to ${MAX_SPAN}; no wildcards, and not names alone`;

const LEVEL = /^([^{}+#\0]*)(?:\{([a-z][a-z0-9_]{0,31})(\.\.\.)?\}([^{}+#\0]*))?$/;
/** Mean something else where a meter's name is made. */
const RESERVED = ['group', 'payload'];

export function parseTopicPattern(text: string): TopicPattern | undefined {
  if (text.length > MAX_CHARACTERS || text.startsWith('$')) return undefined;
  const levels = text.split('/').map(parseLevel);
  if (!levels.every((level) => level !== undefined)) return undefined;
  const captures = levels.flatMap(({ capture }) => capture ?? []);
  const spans = levels.filter(({ spanning }) => spanning);
  const literal = longest(text.split(/\{[^}]*\}/));
  const named = new Set(captures).size === captures.length && !captures.some((name) => RESERVED.includes(name));
  if (spans.length > 1 || !named || literal.replaceAll('/', '') === '') return undefined;
  return {
    text,
    captures,
    literal,
    // A wildcard never means the broker's own topics, which begin with $.
    regex: new RegExp(`^(?!\\$)${levels.map(({ source }) => source).join('/')}$`, 's'),
    filters: filtersOf(levels),
  };
}

interface Level {
  readonly source: string;
  readonly filter: string;
  readonly capture: string | undefined;
  readonly spanning: boolean;
}

function parseLevel(text: string): Level | undefined {
  const match = LEVEL.exec(text);
  if (match === null) return undefined;
  const [, before = '', capture, dots, after = ''] = match;
  const spanning = dots !== undefined;
  if (spanning && before + after !== '') return undefined;
  const part = spanning ? `((?:[^/]+/){0,${MAX_SPAN - 1}}[^/]+)` : '([^/]+)';
  return {
    source: `${escaped(before)}${capture === undefined ? '' : part}${escaped(after)}`,
    filter: capture === undefined ? text : '+',
    capture,
    spanning,
  };
}

function filtersOf(levels: readonly Level[]): readonly string[] {
  const at = levels.findIndex(({ spanning }) => spanning);
  const names = levels.map(({ filter }) => filter);
  if (at === -1) return [names.join('/')];
  if (at === levels.length - 1) return [[...names.slice(0, -1), '#'].join('/')];
  return Array.from({ length: MAX_SPAN }, (_, more) =>
    [...names.slice(0, at), ...Array.from({ length: more + 1 }, () => '+'), ...names.slice(at + 1)].join('/'),
  );
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const longest = (texts: readonly string[]): string =>
  texts.reduce((found, text) => (text.length > found.length ? text : found), '');
