import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Document } from 'yaml';
import { messageOf, WattwardenError } from '../agent/domain/errors.js';
import { isOpenToOthers } from './file-mode.js';
import { migrate } from './migrations.js';
import { CONFIG_VERSION } from './schema.js';
import { parseYaml } from './yaml-text.js';

/** 20,000 meters with every key take 4 MB. */
const MAX_FILE_BYTES = 16_777_216;

export interface ConfigFile {
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether others than its owner may read or write it; secrets do not belong into such a file. */
  readonly exposed: boolean;
}

/** Reads the file, in the newest version of the format; the file itself stays as it is. */
export function readConfigFile(file: string): ConfigFile {
  const { bytes, mode } = readBytes(file);
  const parsed = parseYaml(decode(file, bytes));
  if (!parsed.ok) throw invalid(file, parsed.faults);
  const { document } = parsed;
  if (parsed.value !== null && !isSection(parsed.value)) throw invalid(file, ['must hold keys and their values']);
  const versionFault = faultOfVersion(document);
  if (versionFault !== undefined) throw invalid(file, [versionFault]);
  const value = migrate(document).length === 0 ? parsed.value : document.toJS();
  return { data: withoutNulls(isSection(value) ? value : {}), exposed: isOpenToOthers(mode) };
}

export const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readBytes(file: string): { bytes: Buffer; mode: number } {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size, mode } = fstatSync(fd);
      if (size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
      return { bytes: readFileSync(fd), mode };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new WattwardenError('config.unreadable', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new WattwardenError('config.unreadable', `${file}: not text in UTF-8`, { cause: error });
  }
}

const invalid = (file: string, faults: readonly string[]): WattwardenError =>
  new WattwardenError('config.invalid', faults.map((fault) => `${file}: ${fault}`).join('\n'));

function faultOfVersion(document: Document): string | undefined {
  const version = document.contents === null ? undefined : document.get('version');
  if (version === undefined) return `version: must be stated; write \`version: ${CONFIG_VERSION}\` as the first line`;
  if (!Number.isInteger(version) || Number(version) < 1) {
    return `version: must be a whole number from 1 to ${CONFIG_VERSION}`;
  }
  if (Number(version) <= CONFIG_VERSION) return undefined;
  return `version: must be at most ${CONFIG_VERSION}; this file was written for a newer wattwarden (got ${String(version)})`;
}

/** A section whose keys are all commented out reads as null; it means that nothing in it is set. */
function withoutNulls(section: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(section)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, pruned(value)]),
  );
}

function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  return isSection(value) ? withoutNulls(value) : value;
}
