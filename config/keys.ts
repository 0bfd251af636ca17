import { z } from 'zod';
import { settingsSchema } from './schema.js';

type Kind = 'section' | 'text' | 'integer' | 'number' | 'boolean' | 'list';

/** One key of the settings, as everything that is generated from the schema sees it. */
export interface Key {
  /** Names from the top: ['mqtt', 'port']. */
  readonly path: readonly string[];
  /** `meters.known[].id`: as a reader finds it. */
  readonly name: string;
  readonly kind: Kind;
  /** Reads as the end of "must be …". */
  readonly rule: string;
  readonly documentation: string;
  /** Undefined where nothing is set unless somebody sets it. */
  readonly fallback: unknown;
  /** Whether an entry of a list is nothing without it. */
  readonly required: boolean;
  readonly secret: boolean;
  readonly isPath: boolean;
  /** WATTWARDEN_MQTT_PORT; undefined for what only a file may say. */
  readonly environment: string | undefined;
  /** Keys of one entry, when this is a list of sections. */
  readonly entry: readonly Key[];
}

/** The part of JSON Schema that our schema can turn into. */
const nodeShape = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  const: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  maxItems: z.number().optional(),
  rule: z.string().optional(),
  secret: z.boolean().optional(),
  path: z.boolean().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  required: z.array(z.string()).optional(),
});
type Node = z.infer<typeof nodeShape>;

const KINDS: Readonly<Record<string, Kind>> = {
  object: 'section',
  string: 'text',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  array: 'list',
};

/** A key, and what stands in the entries of a list. */
export const withEntries = (key: Key): readonly Key[] => [key, ...key.entry.flatMap(withEntries)];

function below(parent: Node, { path, prefix, inEnvironment }: Omit<Place, 'required'>): Key[] {
  return Object.entries(parent.properties ?? {}).flatMap(([name, child]) => {
    const node = nodeShape.parse(child);
    const required = parent.required?.includes(name) ?? false;
    const key = describe(node, { path: [...path, name], prefix: `${prefix}${name}`, inEnvironment, required });
    if (key.kind !== 'section') return [key];
    return [key, ...below(node, { path: key.path, prefix: `${key.name}.`, inEnvironment })];
  });
}

interface Place {
  readonly path: readonly string[];
  readonly prefix: string;
  readonly inEnvironment: boolean;
  readonly required: boolean;
}

function describe(node: Node, { path, prefix, inEnvironment, required }: Place): Key {
  const kind = KINDS[node.type ?? ''];
  const entry = node.items === undefined ? undefined : nodeShape.parse(node.items);
  return {
    path,
    name: prefix,
    kind: kind ?? 'text',
    rule: ruleOf(node, entry),
    documentation: node.description ?? '',
    fallback: kind === 'section' ? undefined : node.default,
    required,
    secret: node.secret ?? false,
    isPath: node.path ?? false,
    environment: inEnvironment && path.join() !== 'version' ? environmentName(path) : undefined,
    entry: entry?.properties === undefined ? [] : below(entry, { path, prefix: `${prefix}[].`, inEnvironment: false }),
  };
}

const environmentName = (path: readonly string[]): string => `WATTWARDEN_${path.join('_').toUpperCase()}`;

function ruleOf(node: Node, entry: Node | undefined): string {
  if (node.rule !== undefined) return node.rule;
  if (node.const !== undefined) return String(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list of at most ${node.maxItems ?? 'any number of'} entries${eachOf(entry)}`;
    case 'object':
      return 'a section with keys of its own';
    default:
      return `text${length(node)}`;
  }
}

const eachOf = (entry: Node | undefined): string => (entry?.rule === undefined ? '' : `, each ${entry.rule}`);

/** What z.int() adds by itself says nothing to a reader. */
const telling = (value: number | undefined): value is number =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

function bounds({ minimum, maximum, exclusiveMinimum }: Node): string {
  if (telling(minimum) && telling(maximum)) return ` from ${minimum} to ${maximum}`;
  if (telling(minimum)) return ` from ${minimum}`;
  if (telling(maximum)) return ` up to ${maximum}`;
  return telling(exclusiveMinimum) ? ` above ${exclusiveMinimum}` : '';
}

const length = ({ minLength, maxLength }: Node): string =>
  maxLength === undefined ? '' : ` of ${minLength ?? 0} to ${maxLength} characters`;

/** Every key, a section before what stands in it, in the order of the schema. */
export const KEYS: readonly Key[] = below(nodeShape.parse(z.toJSONSchema(settingsSchema, { io: 'input' })), {
  path: [],
  prefix: '',
  inEnvironment: true,
});
