import { type JsonPath, parseJsonPath } from './json-path.js';

export type NamePart =
  | { readonly kind: 'text'; readonly text: string }
  /** A part of the topic, or `group`. */
  | { readonly kind: 'capture'; readonly name: string }
  | { readonly kind: 'payload'; readonly path: JsonPath; readonly text: string };

export const NAME_TEMPLATE_RULE =
  'letters, digits and . _ : - with {name} of the topic, {group} or {payload.path} in it, and a colon between any two of these';

/**
 * How a meter's name is made. Between two placeholders there must be a colon, which no filled-in part can contain:
 * otherwise `a-b` + `c` and `a` + `b-c` would be one meter.
 */
export function parseNameTemplate(text: string): readonly NamePart[] | undefined {
  const pieces = text.split(/(\{[^{}]*\})/).filter((piece) => piece !== '');
  const parts = pieces.map(parsePart);
  if (pieces.length === 0 || !parts.every((part) => part !== undefined)) return undefined;
  if (!/^[A-Za-z0-9{]/.test(text)) return undefined;
  const separated = parts.every((part, index) => {
    const before = parts[index - 1];
    if (part.kind === 'text' || before === undefined) return true;
    return before.kind === 'text' && (index === 1 || before.text.includes(':'));
  });
  return separated ? parts : undefined;
}

function parsePart(piece: string): NamePart | undefined {
  if (!piece.startsWith('{')) return /^[A-Za-z0-9._:-]+$/.test(piece) ? { kind: 'text', text: piece } : undefined;
  const name = piece.slice(1, -1);
  if (!name.startsWith('payload.')) {
    return /^[a-z][a-z0-9_]{0,31}$/.test(name) && name !== 'payload' ? { kind: 'capture', name } : undefined;
  }
  const path = parseJsonPath(name.slice('payload.'.length));
  return path === undefined ? undefined : { kind: 'payload', path, text: name };
}
