/** Where in a JSON document something stands: names of members and positions in lists. */
export type JsonPath = readonly (string | number)[];

export const JSON_PATH_RULE = 'a path like a.b[0].c, or a["b.c"] where a name has a dot';

const MAX_CHARACTERS = 256;
const STEP = /\.?([^.[\]"*{}\s][^.[\]"*{}]*)|\[(\d{1,4})\]|\["([^"]+)"\]/y;

export function parseJsonPath(text: string): JsonPath | undefined {
  if (text === '' || text.startsWith('.') || text.length > MAX_CHARACTERS) return undefined;
  const steps: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) return undefined;
    const [whole, name, position, quoted] = match;
    // Two names need a dot between them.
    if (name !== undefined && at > 0 && !whole.startsWith('.')) return undefined;
    steps.push(position === undefined ? (name ?? quoted ?? '') : Number(position));
    at = STEP.lastIndex;
  }
  return steps;
}

/** Undefined: it is not there. Takes any JSON, and no inherited member for one of the document's. */
export function readPath(document: unknown, path: JsonPath): unknown {
  let node = document;
  for (const step of path) {
    if (typeof node !== 'object' || node === null) return undefined;
    if (Array.isArray(node) !== (typeof step === 'number') || !Object.hasOwn(node, step)) return undefined;
    node = (node as Readonly<Record<string | number, unknown>>)[step];
  }
  return node;
}

export const EACH_RULE = '* or a path that ends in .*';

/** The path of what holds the members that `*` stands for. */
export function parseEach(text: string): JsonPath | undefined {
  if (text === '*') return [];
  return text.endsWith('.*') ? parseJsonPath(text.slice(0, -2)) : undefined;
}
