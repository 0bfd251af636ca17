import { expect, test } from 'vitest';
import { scanImports } from './imports.js';

const found = (source: string) => scanImports(source).imports.map(({ kind, specifier }) => `${kind} ${specifier}`);

test.each([
  ["import a from 'a';", ['code a']],
  ['import a, { b as c, type D } from "a";', ['code a']],
  ["import * as a from 'a'", ['code a']],
  ["import {\n  a,\n  b,\n} from './a.js';\nimport './b.js';", ['code ./a.js', 'code ./b.js']],
  ["import type { A } from 'a';", ['type a']],
  ["import type A from 'a';", ['type a']],
  ["import type from 'a';", ['code a']],
  ["import { type A } from 'a';", ['code a']],
  ["export * from 'a';\nexport { b } from 'b';\nexport type { C } from 'c';", ['type c', 'code a', 'code b']],
  ["const a = await import('a');", ['code a']],
  ["type A = typeof import('a');", ['type a']],
  ["const a = require('a'); require.resolve('b');", ['code a', 'code b']],
  ["new Worker(new URL('./a.js', import.meta.url));", ['file ./a.js']],
  ["import.meta.resolve('a');", ['code a']],
  ["import a from `a`; import('b')", ['code a', 'code b']],
  ["export const a = 1;\nconst from = 'x';", []],
  ["export function f() { return g('x'); }\nfrom 'y'", []],
])('%j', (source, expected) => {
  expect(found(source).sort()).toEqual([...expected].sort());
});

test.each([
  "// import a from 'a';",
  "/* import a from 'a'; */",
  'const text = "import a from \'a\';";',
  "const text = `import a from 'a'; ${1 + 1} import('b')`;",
  "const pattern = /import a from 'a'/g;",
  "const pattern = [/['\"]/, /[/'\"]/]; // import 'a'",
  "const half = total / 2; // it's import 'a'",
])('nothing is imported in %j', (source) => {
  expect(found(source)).toEqual([]);
});

test('what follows something that only looks like a quote is still seen', () => {
  expect(found("const a = /['\"`]/.test(b) ? c / d : `${e('\\'')}`;\nimport f from 'f';")).toEqual(['code f']);
  expect(found('const a = `${{ b: `${c}` }}`;\nimport f from "f";')).toEqual(['code f']);
});

test('a module whose name is made up at run time', () => {
  expect(scanImports('await import(name)').unknown).toBe(true);
  expect(scanImports('require(`./${name}.js`)').unknown).toBe(true);
  expect(scanImports("await import('name'); type A = typeof import('a');").unknown).toBe(false);
});
