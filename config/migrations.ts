import { copyFileSync, constants as fs, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Document } from 'yaml';
import { WattwardenError } from '../agent/domain/errors.js';
import { CONFIG_VERSION } from './schema.js';
import { parseYaml } from './yaml-text.js';

/** One step from a version of the format to the next; it edits the document, so that comments stay. */
export interface Migration {
  readonly from: number;
  readonly what: string;
  apply(document: Document): void;
}

/** In order, without gaps. Empty as long as the first version is the only one. */
export const MIGRATIONS: readonly Migration[] = [];

/** Takes the document to the newest version in place; returns what was done. */
export function migrate(document: Document, migrations: readonly Migration[] = MIGRATIONS): readonly string[] {
  const done: string[] = [];
  for (const migration of migrations) {
    if (document.get('version') !== migration.from) continue;
    migration.apply(document);
    document.set('version', migration.from + 1);
    done.push(`version ${migration.from} to ${migration.from + 1}: ${migration.what}`);
  }
  return done;
}

interface Upgrade {
  readonly steps: readonly string[];
  /** Where the file as it was is kept; undefined when nothing had to be done. */
  readonly backup: string | undefined;
}

/** Rewrites a file of an older version and keeps the old one beside it. `loadSettings` itself never writes. */
export function upgradeFile(file: string, migrations: readonly Migration[] = MIGRATIONS): Upgrade {
  const parsed = parseYaml(readFileSync(file, 'utf8'));
  if (!parsed.ok) throw new WattwardenError('config.invalid', parsed.faults.join('\n'));
  const version = Number(parsed.document.get('version') ?? CONFIG_VERSION);
  const steps = migrate(parsed.document, migrations);
  if (steps.length === 0) return { steps, backup: undefined };
  const backup = `${file}.v${version}.bak`;
  // Never over an older backup: that one may be the only copy of what the user wrote.
  copyFileSync(file, backup, fs.COPYFILE_EXCL);
  const fresh = `${file}.new`;
  writeFileSync(fresh, parsed.document.toString(), { mode: statSync(file).mode & 0o777 });
  renameSync(fresh, file);
  return { steps, backup };
}
