import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const CHUNKS = join('dist', 'agent', 'chunks');
/** As the bundler writes them: of dynamic ones the quotes are backticks. */
const IMPORT = /\b(?:from|import) ?\(?["'`](\.{1,2}\/[^"'`\s]+\.js)["'`]/g;

/** What the bundled ones among these files (scripts/prepare/bundle.mjs) load, and the licences of what is in it. */
export function chunksOf(root: string, files: readonly string[]): readonly string[] {
  const chunks = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const [, specifier = ''] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
      const loaded = relative(root, join(root, dirname(file), specifier));
      if (!loaded.startsWith(CHUNKS) || chunks.has(loaded)) continue;
      chunks.add(loaded);
      waiting.push(loaded);
    }
  }
  return chunks.size === 0 ? [] : [...chunks, join(CHUNKS, 'NOTICES.txt')];
}
