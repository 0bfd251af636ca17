import { KEYS, type Key } from './keys.js';
import { fallbackOf } from './reference.js';
import { CONFIG_VERSION } from './schema.js';

const WIDTH = 116;

const HEAD = `# yaml-language-server: $schema=./wattwarden.schema.json
# Generated from config/schema.ts by \`npm run generate\`. Every key is here as a comment with its default: copy this
# file and take the # away from what shall differ. docs/configuration.md says how files and environment go together.
`;

/** config/wattwarden.example.yaml: complete, valid as it stands, and the same as no file at all. */
export function exampleFile(): string {
  const keys = KEYS.filter((key) => key.path.join() !== 'version');
  return [HEAD, `version: ${CONFIG_VERSION}`, ...keys.map(block), ''].join('\n');
}

function block(key: Key): string {
  const indent = '  '.repeat(key.path.length - 1);
  const name = key.path.at(-1) ?? '';
  const comments = wrapped(key.documentation, `${indent}# `);
  if (key.kind === 'section') return ['', ...comments, `${indent}${name}:`].join('\n');
  const rule = wrapped(`Must be ${key.rule}. ${key.environment ?? ''}`.trim(), `${indent}# `);
  const lines = [...comments, ...rule, `${indent}# ${name}: ${shownFallback(key)}`, ...entryOf(key, indent)];
  return (isFirst(key) ? lines : ['', ...lines]).join('\n');
}

const isFirst = (key: Key): boolean => KEYS[KEYS.indexOf(key) - 1]?.kind === 'section';

const shownFallback = (key: Key): string => (key.fallback === undefined ? '' : fallbackOf(key));

/** What one entry of a list may say. */
function entryOf({ entry, path }: Key, indent: string): readonly string[] {
  return entry.flatMap((key, index) => {
    const limits = key.kind === 'section' ? '' : ` Must be ${key.rule}. Default: ${fallbackOf(key)}.`;
    const deeper = '  '.repeat(key.path.length - path.length - 1);
    const name = `${index === 0 ? '- ' : '  '}${deeper}${key.path.at(-1)}:`;
    return [`${indent}#   ${name}`, ...wrapped(`${key.documentation}${limits}`, `${indent}#       ${deeper}# `)];
  });
}

function wrapped(text: string, prefix: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > WIDTH) {
      lines.push(prefix + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, prefix + line];
}
