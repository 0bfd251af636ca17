import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { adviceOn } from './advice.mjs';
import { failure } from './failure.mjs';
import { run } from './run.mjs';

const STAMP = join('node_modules', '.wattwarden-lock');

/** Whether node_modules is what package-lock.json asks for, on this Node.js and this processor. */
export function isInstalled(root) {
  return readOr(join(root, STAMP), '') === fingerprint(root);
}

export async function install(root) {
  rmSync(join(root, STAMP), { force: true });
  const fits = agreesWithLock(root) && (await loads(root));
  if (!fits) {
    console.log('wattwarden: installing packages, which takes a minute or two …');
    // First without any install script: older npm knows no `allowScripts`, and one of the scripts downloads 200 MB.
    await npm(root, ['ci', '--ignore-scripts', '--include=dev', '--include=optional']);
    const wanted = scriptsWanted(root);
    await npm(root, ['rebuild', '--ignore-scripts=false', ...wanted]);
    if (!(await loads(root))) throw failure('better-sqlite3 was installed but cannot be loaded; see above.');
  }
  writeFileSync(join(root, STAMP), fingerprint(root));
}

function fingerprint(root) {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json', 'agent/package.json', 'cloud-sync/package.json']) {
    hash.update(file).update(installedPart(readFileSync(join(root, file), 'utf8')));
  }
  return hash.update([process.platform, process.arch, process.versions.modules].join()).digest('hex');
}

/** A changed script or description must not install everything again. */
function installedPart(text) {
  const { scripts, description, ...rest } = JSON.parse(text);
  return JSON.stringify(rest);
}

/** npm leaves a note of what it installed; with it, an installation made by hand need not be made again. */
function agreesWithLock(root) {
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  const wanted = packagesIn(join(root, 'package-lock.json'));
  if (wanted === undefined) throw failure('package-lock.json is missing; take it from the repository again.');
  return Object.entries(wanted).every(([place, entry]) => {
    if (!place.startsWith('node_modules/')) return true;
    const found = installed[place];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && existsSync(join(root, place));
  });
}

function packagesIn(file) {
  const text = readOr(file, undefined);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

/** The packages of `allowScripts` that are here; the others run nothing when they are installed. */
function scriptsWanted(root) {
  const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.keys(allowScripts).filter((name) => allowScripts[name] && existsSync(join(root, 'node_modules', name)));
}

async function loads(root) {
  const program = "new (require('better-sqlite3'))(':memory:').close()";
  return (await run(process.execPath, ['-e', program], { cwd: root })).code === 0;
}

async function npm(root, args) {
  // npm names its own program to the scripts it runs; a bare `npm` may be another one, or a .cmd file.
  const cli = process.env.npm_execpath;
  const [program, first] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  const all = [...first, ...args, '--no-audit', '--no-fund', '--loglevel=error', '--foreground-scripts'];
  const { code, output } = await run(program, all, { cwd: root, env: { ...process.env, ...headers() } });
  if (code === 0) return;
  throw failure(`${output}\n\nwattwarden: npm ${args[0]} failed. ${adviceOn(output, process.env.PATH)}`);
}

/** Compiling needs the headers of Node.js; where they lie beside it, nothing is downloaded. */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  const here = existsSync(join(prefix, 'include', 'node', 'node.h'));
  return here && process.env.npm_config_nodedir === undefined ? { npm_config_nodedir: prefix } : {};
}

function readOr(file, fallback) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return fallback;
    throw error;
  }
}
