import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATED } from './generated.js';

/** This runs as dist/scripts/generate.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));

for (const [file, text] of Object.entries(GENERATED)) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), await text(root));
  console.log(`written: ${file}`);
}
