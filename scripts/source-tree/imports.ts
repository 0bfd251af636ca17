export interface Import {
  readonly specifier: string;
  /** `type`: gone when compiled. `file`: not loaded as a module, but found beside the code: a worker, an asset. */
  readonly kind: 'code' | 'type' | 'file';
}

export interface Scan {
  readonly imports: readonly Import[];
  /** Whether it loads modules whose names stand nowhere in the text. */
  readonly unknown: boolean;
}

/** After cleaning, the n-th string literal of the text stands there as "n". */
const PATTERNS: readonly { readonly kind: Import['kind']; readonly pattern: RegExp }[] = [
  { kind: 'type', pattern: /\b(?:import|export)\s+type\b(?!\s+from\b)[^;"]*?\bfrom\s*"(\d+)"/g },
  { kind: 'type', pattern: /\btypeof\s+import\s*\(\s*"(\d+)"\s*\)/g },
  { kind: 'code', pattern: /\b(?:import|export)\s+(?!type\b(?!\s+from\b))[^;"()]*?\bfrom\s*"(\d+)"/g },
  { kind: 'code', pattern: /\bimport\s*"(\d+)"/g },
  { kind: 'code', pattern: /(?<!\btypeof\s+)\bimport\s*\(\s*"(\d+)"/g },
  { kind: 'code', pattern: /\brequire\s*(?:\.\s*resolve\s*)?\(\s*"(\d+)"/g },
  { kind: 'code', pattern: /\bimport\s*\.\s*meta\s*\.\s*resolve\s*\(\s*"(\d+)"/g },
  { kind: 'file', pattern: /\bnew\s+URL\s*\(\s*"(\d+)"\s*,\s*import\s*\.\s*meta\s*\.\s*url\s*\)/g },
];
const UNKNOWN = /(?<!\btypeof\s+)\b(?:import|require)\s*\(\s*(?!["\s])/;

/** Everything that one source file asks for by name. */
export function scanImports(source: string): Scan {
  const { code, strings } = clean(source);
  const imports = PATTERNS.flatMap(({ kind, pattern }) =>
    [...code.matchAll(pattern)].map((match) => ({ specifier: strings[Number(match[1])] ?? '', kind })),
  );
  return { imports, unknown: UNKNOWN.test(code) };
}

/** What may stand before a slash that begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|new|delete|void|throw|await|yield))$/;

/** The code without comments, regular expressions and the text of strings, which may hold anything. */
function clean(source: string): { code: string; strings: readonly string[] } {
  const strings: string[] = [];
  /** For each template literal under way: how many braces are open inside its present ${ }. */
  const templates: number[] = [];
  let code = '';
  let at = 0;

  const literalUpTo = (end: number) => {
    code += `"${strings.length}"`;
    strings.push(source.slice(at, end));
    at = end + 1;
  };
  const template = () => {
    const end = endOfTemplatePart(source, at);
    if (source[end] !== '$') return literalUpTo(end);
    code += ' (';
    templates.push(0);
    at = end + 2;
  };

  while (at < source.length) {
    const char = source[at] ?? '';
    const open = templates.at(-1);
    if (source.startsWith('//', at)) at = indexOrEnd(source, '\n', at);
    else if (source.startsWith('/*', at)) {
      at = indexOrEnd(source, '*/', at) + 2;
      code += ' ';
    } else if (char === '"' || char === "'") {
      at += 1;
      literalUpTo(endOfString(source, at, char));
    } else if (char === '`') {
      at += 1;
      template();
    } else if (char === '/' && BEFORE_REGEX.test(code.trimEnd())) {
      at = endOfRegex(source, at + 1) + 1;
      code += ' 0 ';
    } else if (char === '}' && open === 0) {
      templates.pop();
      code += ') ';
      at += 1;
      template();
    } else {
      if (open !== undefined) templates[templates.length - 1] = open + (char === '{' ? 1 : char === '}' ? -1 : 0);
      code += char;
      at += 1;
    }
  }
  return { code, strings };
}

function indexOrEnd(source: string, text: string, from: number): number {
  const index = source.indexOf(text, from);
  return index === -1 ? source.length : index;
}

function endOfString(source: string, from: number, quote: string): number {
  let at = from;
  while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
  return at;
}

/** Where the closing backtick or the next ${ stands. */
function endOfTemplatePart(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== '`' && !source.startsWith('${', at)) at += source[at] === '\\' ? 2 : 1;
  return at;
}

function endOfRegex(source: string, from: number): number {
  let at = from;
  let inClass = false;
  while (at < source.length && source[at] !== '\n' && (inClass || source[at] !== '/')) {
    if (source[at] === '[') inClass = true;
    if (source[at] === ']') inClass = false;
    at += source[at] === '\\' ? 2 : 1;
  }
  return at;
}
