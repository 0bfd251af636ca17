import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { noticesOf } from './notices.mjs';

/**
 * What runs beside the meters day and night, and its threads: as some hundred files in place of a thousand, without what
 * nobody calls (docs/decisions/0035). They replace what the compiler made of these sources; every other file stays for the
 * tools and the tests.
 */
const ENTRIES = [
  'agent/commands/run',
  'agent/commands/settings-worker',
  'agent/threads/companion-worker',
  'agent/threads/mending-process',
  // Of its own file, because agent/main.js, which is not bundled, has to know these errors again.
  'agent/domain/errors',
];
const CHUNKS = 'agent/chunks';
/** With a library of machine code, or there only where somebody has added it. */
const OUTSIDE = /^(better-sqlite3|onnxruntime-(node|common)|pino-pretty|pg-native|bufferutil|utf-8-validate)(\/|$)/;
/** V8 keeps the source, two bytes a character when one of them is beyond Latin-1; names stay for whoever reads a stack. */
const SMALL = {
  compress: true,
  mangle: false,
  codegen: { removeWhitespace: true, asciiOnly: true, legalComments: 'none' },
};
const MODULE = /\bimport\.meta\.url\b/g;
const PLACE = /__placeOf\("([^"]+)"\)/g;

/** Called when the compiler is done. */
export async function bundle(root) {
  const dist = join(root, 'dist');
  const entries = ENTRIES.filter((entry) => existsSync(join(dist, `${entry}.js`)));
  if (entries.length === 0) return;
  // Nothing is installed yet when this module is loaded.
  const { rolldown } = await import('rolldown');
  const made = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
    platform: 'node',
    external: OUTSIDE,
    resolve: { alias: { debug: join(import.meta.dirname, 'no-debug.cjs') } },
    plugins: [placesKept(dist)],
  });
  const { output } = await made.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: `${CHUNKS}/[name]-[hash].js`,
    sourcemap: true,
    minify: SMALL,
  });
  mkdirSync(join(dist, CHUNKS), { recursive: true });
  writeFileSync(join(dist, CHUNKS, 'NOTICES.txt'), noticesOf(output.flatMap(({ moduleIds = [] }) => moduleIds)));
}

/** A worker, the page and the shipped models are named by their place beside a source: also from within a chunk. */
function placesKept(dist) {
  return {
    name: 'places-kept',
    load(id) {
      if (!id.startsWith(dist + sep) || !existsSync(`${id}.map`)) return null;
      return { code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') };
    },
    transform(code, id) {
      if (!id.startsWith(dist + sep) || !code.includes('import.meta.url')) return null;
      const place = relative(dist, id).split(sep).join('/');
      return { code: code.replace(MODULE, `__placeOf(${JSON.stringify(place)})`), map: null };
    },
    renderChunk(code, { fileName }) {
      if (!code.includes('__placeOf(')) return null;
      const from = posix.dirname(fileName);
      const put = (_, place) => `new URL(${JSON.stringify(posix.relative(from, place))}, import.meta.url).href`;
      return { code: code.replace(PLACE, put), map: null };
    },
  };
}
