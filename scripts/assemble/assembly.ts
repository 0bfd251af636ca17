import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reachFrom } from '../source-tree/reach.js';
import { readTree } from '../source-tree/tree.js';
import { chunksOf } from './chunks.js';
import { INSTALL_TEXT, NPMRC_ADDITION } from './install-text.js';
import { cutLock } from './lock.js';
import { installedManifest, readJson, readManifest } from './manifest.js';
import { PARTS, type PartName } from './parts.js';

interface Assembly {
  /** The repository, built. */
  readonly root: string;
  readonly part: PartName;
  readonly out: string;
}

/** Folders with sources of the product. */
const FOLDERS = ['agent', 'cloud-sync', 'models', 'config'];
/** What both installations get as it stands in the repository. */
const COPIED = ['LICENSE', 'models/bundles', 'config/wattwarden.example.yaml', 'config/wattwarden.schema.json'];

/** Writes one installation: what `npm ci --omit=dev` makes complete. */
export function assemble({ root, part, out }: Assembly): void {
  const manifest = readManifest(root, PARTS[part]);
  const lock = cutLock(root, manifest);
  const { files, assets } = reachFrom(PARTS[part], readTree(root, FOLDERS));
  clear(out, manifest.name);

  const compiled = [...files].map((file) => join('dist', file.replace(/\.ts$/, '.js')));
  // An address that leads out of dist/ names something that is copied anyway, or the package.json.
  const beside = [...assets].map((file) => join('dist', file)).filter((file) => file.startsWith('dist'));
  for (const file of [...compiled, ...chunksOf(root, compiled), ...beside, ...COPIED])
    copy(join(root, file), join(out, file));

  const names = new Set(Object.keys(lock.packages).map((place) => place.split('node_modules/').at(-1) ?? ''));
  const texts = {
    'package.json': json(installedManifest(root, manifest, names)),
    'package-lock.json': json(lock),
    '.npmrc': readFileSync(join(root, '.npmrc'), 'utf8') + NPMRC_ADDITION[part],
    'INSTALL.md': INSTALL_TEXT[part],
  };
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(out, file), text);
}

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Sources stay behind, and with them the maps that lead to them. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, filter: (file) => !/\.(map|ts)$/.test(file) });
}

/** An earlier assembly is replaced; settings, data and packages beside it stay. Anything else is left alone. */
function clear(out: string, name: string): void {
  mkdirSync(out, { recursive: true });
  if (readdirSync(out).length === 0) return;
  if (nameIn(join(out, 'package.json')) !== name)
    throw new Error(`${out} holds something else than an earlier ${name}: name an empty or a new directory with --out`);
  for (const old of ['dist', 'models/bundles']) rmSync(join(out, old), { recursive: true, force: true });
}

const nameIn = (file: string): unknown => (existsSync(file) ? (readJson(file) as { name?: unknown }).name : undefined);
