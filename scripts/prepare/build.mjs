import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { bundle } from './bundle.mjs';
import { failure } from './failure.mjs';
import { run } from './run.mjs';

const SOURCES = ['agent', 'cloud-sync', 'models', 'config', 'scripts', 'tests'];
const CONFIGURATION = ['tsconfig.json', 'package-lock.json', 'vitest.config.ts'];
const PAGE = join('agent', 'ui', 'page');
const PUBLIC = join('agent', 'ui', 'public');
const STAMP = join('dist', '.built-from');
/** Documentation, what only npm and the compiler read, and the shipped bundles, which are read where they stand. */
const LEFT_OUT = /^models\/bundles\/|(^|\/)(package\.json|tsconfig\.json|[^/]+\.md)$/;

/** Whether dist/ was made from exactly the sources that stand here. */
export function isBuilt(root) {
  const stamp = join(root, STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(root);
}

export async function build(root) {
  const from = fingerprint(root);
  rmSync(join(root, STAMP), { force: true });
  console.log('wattwarden: building …');
  await tsc(root, ['-p', 'tsconfig.json', '--noEmitOnError']);
  if (existsSync(join(root, PAGE, 'tsconfig.json'))) {
    await tsc(root, ['-p', join(PAGE, 'tsconfig.json'), '--noEmitOnError']);
  }
  const sources = SOURCES.flatMap((folder) => filesBelow(root, folder));
  for (const file of sources.filter(isAsset)) {
    mkdirSync(join(root, 'dist', dirname(file)), { recursive: true });
    copyFileSync(join(root, file), join(root, 'dist', file));
  }
  removeStale(root, new Set([...sources.flatMap(outputsOf), ...CONFIGURATION.flatMap(outputsOf)]));
  await bundle(root);
  makeRunnable(root);
  // Last, so that an interrupted build is done again.
  writeFileSync(join(root, STAMP), from);
}

/** npm does so once, when it first meets a directory: a build that began anew would leave `npx wattwarden` without the right to run. */
function makeRunnable(root) {
  const { bin = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
}

/** By content and not by time: a fresh clone, a copy and another branch all have times that say nothing. */
function fingerprint(root) {
  const hash = createHash('sha256').update(process.versions.node);
  const files = [
    ...CONFIGURATION.filter((file) => existsSync(join(root, file))),
    ...SOURCES.flatMap((folder) => filesBelow(root, folder)),
  ];
  for (const file of files.sort()) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

async function tsc(root, args) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await run(process.execPath, [compiler, ...args], { cwd: root });
  if (code !== 0) throw failure(`${output}\n\nwattwarden: the sources do not compile; dist/ is as it was.`);
}

const isAsset = (file) => !file.endsWith('.ts') && !LEFT_OUT.test(file);

function outputsOf(file) {
  if (file.startsWith(`${PAGE}/`)) {
    const inside = join('dist', PUBLIC, file.slice(PAGE.length + 1));
    return file.endsWith('.ts') ? emitted(inside) : [];
  }
  return file.endsWith('.ts') ? emitted(join('dist', file)) : [join('dist', file)];
}

const emitted = (file) => {
  const bare = file.slice(0, -extname(file).length);
  return [`${bare}.js`, `${bare}.js.map`];
};

/** What a deleted source left behind; a test or a worker must not find it. */
function removeStale(root, expected) {
  for (const file of filesBelow(root, 'dist')) {
    if (!expected.has(file)) rmSync(join(root, file));
  }
}

/** Files below a folder as paths from the root, with / between the names. */
function filesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(root, path);
    return entry.isFile() ? [path] : [];
  });
}
