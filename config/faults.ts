import type { z } from 'zod';
import { KEYS, type Key, withEntries } from './keys.js';
import { nearest } from './suggest.js';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Longer values say no more about the fault. */
const MAX_SHOWN_CHARACTERS = 80;

/** By dotted name without positions in lists: `meters.known.id`. */
const BY_NAME = new Map(KEYS.flatMap(withEntries).map((key) => [key.path.join('.'), key]));

interface Found {
  readonly value: unknown;
  /** The variable that set it, if one did. */
  readonly variable: string | undefined;
}

type Find = (path: Path) => Found;

/** One line for each fault: `mqtt.port: must be a whole number from 0 to 65535 (got 70000)`. */
export function faultsOf(issue: Issue, find: Find): readonly string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey(issue.path, name, find));
  const key = BY_NAME.get(plain(issue.path));
  const found = find(issue.path);
  return [`${nameOf(issue.path, find)}: ${demand(issue, key, found)}${got(key, found)}`];
}

function unknownKey(parent: Path, name: string, find: Find): string {
  const section = plain(parent);
  const siblings = [...BY_NAME.values()].filter((key) => key.path.slice(0, -1).join('.') === section);
  const near = nearest(
    name,
    siblings.map((key) => key.path.at(-1) ?? ''),
  );
  const meant = near === undefined ? elsewhere(name) : nameOf([...parent, near], find);
  return `${nameOf([...parent, name], find)}: is not a setting${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** The right name in the wrong section. */
const elsewhere = (name: string): string | undefined =>
  [...BY_NAME.values()].find((key) => key.path.at(-1) === name)?.path.join('.');

/** Codes under which zod also reports what is not there at all. */
const NOT_THERE: ReadonlySet<string | undefined> = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

function demand(issue: Issue, key: Key | undefined, found: Found): string {
  if (found.value === undefined && NOT_THERE.has(issue.code)) return `must be given: ${key?.rule ?? issue.message}`;
  const ownWords = issue.code === 'custom' || issue.code === 'invalid_format';
  if (ownWords) return /^(must|may) /.test(issue.message) ? issue.message : `must be ${issue.message}`;
  return key === undefined || isEntry(issue.path) ? issue.message : `must be ${key.rule}`;
}

/** The value, unless it is a secret or may hold one. */
function got(key: Key | undefined, { value, variable }: Found): string {
  const hidden = value === undefined || key === undefined || holdsSecret(key);
  const words = [...(hidden ? [] : [`got ${shown(value)}`]), ...(variable === undefined ? [] : [`from ${variable}`])];
  return words.length === 0 ? '' : ` (${words.join(' ')})`;
}

const holdsSecret = (key: Key): boolean =>
  KEYS.some((other) => other.secret && `${other.path.join('.')}.`.startsWith(`${key.path.join('.')}.`));

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  const masked = text.replaceAll(/\/\/[^/\s]*@/g, '//[secret]@');
  return masked.length > MAX_SHOWN_CHARACTERS ? `${masked.slice(0, MAX_SHOWN_CHARACTERS)}…` : masked;
}

const isEntry = (path: Path): boolean => typeof path.at(-1) === 'number';
const plain = (path: Path): string => path.filter((part) => typeof part !== 'number').join('.');

/** `feeds.custom[0 heating].meter`: an entry that has a name is shown with it, a person does not count from 0. */
const nameOf = (path: Path, find: Find): string =>
  path.reduce<string>((name, part, index) => {
    if (typeof part !== 'number') return name === '' ? String(part) : `${name}.${String(part)}`;
    const own = index === path.length - 1 ? undefined : find([...path.slice(0, index + 1), 'name']).value;
    return typeof own === 'string' ? `${name}[${part} ${shown(own).slice(1, -1)}]` : `${name}[${part}]`;
  }, '');
