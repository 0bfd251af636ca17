import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

interface Kept {
  readonly name: string;
  readonly command: string;
  readonly table: string;
  readonly notes: readonly string[];
  readonly at: Date;
  /** The directory of the project that was measured. */
  readonly project: string;
}

/** Puts the figures of one bench between its two marks in a page; whatever people wrote around them stays. */
export function keepFigures(page: string, kept: Kept): void {
  const text = readFileSync(page, 'utf8');
  const begin = `<!-- figures of ${kept.name} -->`;
  const end = `<!-- end of ${kept.name} -->`;
  const block = `${begin}\n${blockOf(kept)}\n${end}`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  const changed =
    from === -1 || to < from
      ? `${text.trimEnd()}\n\n## ${kept.name}\n\n${block}\n`
      : text.slice(0, from) + block + text.slice(to + end.length);
  writeFileSync(page, changed);
}

function blockOf({ command, table, notes, at, project }: Kept): string {
  const when = `Measured on ${at.toISOString().slice(0, 10)} with \`${command}\` on ${machine()}, ${versions(project)}.`;
  return [when, '', table, ...notes.map((note) => `\n${note}`)].join('\n');
}

const machine = (): string =>
  [
    `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? process.arch}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}`,
    `Node.js ${process.versions.node}`,
  ].join(', ');

/** What the figures depend on most. */
const PACKAGES = ['aedes', 'mqtt', 'better-sqlite3', 'pg'];

const versions = (project: string): string => [...packages(project), ...revision(project)].join(', ');

function packages(project: string): string[] {
  const lock = z
    .object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) })
    .parse(JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')));
  return PACKAGES.map((name) => `${name} ${lock.packages[`node_modules/${name}`]?.version ?? 'unknown'}`);
}

/** Nothing where this is no checkout. */
function revision(project: string): string[] {
  try {
    const told = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: project, stdio: 'pipe' });
    return [`revision ${told.toString().trim()}`];
  } catch {
    return [];
  }
}
