import { type Document, LineCounter, parseDocument, type ErrorCode as YamlCode } from 'yaml';

/**
 * Our own words, because those of the parser quote the text, and the text may be a password.
 * `Record` makes the compiler ask for a line when the parser learns a new code.
 */
const WORDS: Readonly<Record<YamlCode, string>> = {
  ALIAS_PROPS: 'an alias (*name) stands alone, without tag or anchor',
  BAD_ALIAS: 'an alias (*name) of nothing; put text that begins with * in quotes',
  BAD_COLLECTION_TYPE: 'a tag that does not fit what follows it',
  BAD_DIRECTIVE: 'a line that begins with %; put such text in quotes',
  BAD_DQ_ESCAPE: 'an unknown escape (\\) inside double quotes; use single quotes for text with backslashes',
  BAD_INDENT:
    'wrong indentation: keys of one section start in the same column; or a bracket or quote before it stays open',
  BAD_PROP_ORDER: 'tag or anchor in the wrong place',
  BAD_SCALAR_START: 'text that begins with a reserved character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys on one line; put text with a colon in quotes',
  BLOCK_IN_FLOW: 'an indented block inside [ ] or { }',
  DUPLICATE_KEY: 'this key stands twice in its section',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'a key of more than 1,024 characters',
  MISSING_CHAR: 'a bracket, quote, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key that runs over several lines; is a colon or a quote missing?',
  MULTIPLE_ANCHORS: 'two anchors (&name) on one value',
  MULTIPLE_DOCS: 'a second document (---); one file holds one',
  MULTIPLE_TAGS: 'two tags (!name) on one value',
  NON_STRING_KEY: 'a key that is not text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab; YAML is indented with spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag (!name); put text that begins with ! in quotes',
  UNEXPECTED_TOKEN: 'something that does not belong here; put text with special characters in quotes',
};

export type YamlResult =
  | { readonly ok: true; readonly document: Document; readonly value: unknown }
  | { readonly ok: false; readonly faults: readonly string[] };

export function parseYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const found = [...document.errors, ...document.warnings].map(({ code, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    return `line ${line}, column ${col}: ${WORDS[code]}`;
  });
  if (found.length > 0) return { ok: false, faults: found };
  try {
    return { ok: true, document, value: document.toJS() };
  } catch {
    // The parser refuses to expand aliases without end; its words would quote the file.
    return { ok: false, faults: ['line 1, column 1: aliases (*name) that refer to each other too often'] };
  }
}
