import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/schema.js';
import { readSecretFile } from '../../config/secrets.js';
import { createKeyPair, publicKeyOf, signManifest } from '../../models/bundle/signature.js';
import { openDistinctReadings } from '../buffer/distinct-readings.js';
import { openReader } from '../buffer/reader.js';
import type { MeterId } from '../domain/brand.js';
import { systemClock } from '../domain/clock.js';
import { WattwardenError } from '../domain/errors.js';
import { EXPORT_COLUMNS, exportRowOf } from '../domain/export-row.js';
import { createExport } from '../ops/export-file.js';
import { bufferPath } from '../settings.js';
import { type Given, print, settingsOf } from './given.js';

export interface Exporting extends Given {
  readonly from: number;
  readonly to?: number;
  readonly meter: readonly MeterId[];
  readonly out: string;
}

/** One block: what a running gateway stores between two commits of live readings. */
const BLOCK_ROWS = 1_000;

/** Of a gateway that runs or not: it is only read. */
export function exportRange(given: Exporting): void {
  const settings = settingsOf(given);
  const toMs = given.to ?? systemClock.now();
  if (existsSync(given.out)) throw new WattwardenError('export.exists', given.out);
  const key = exportKey(settings);
  const reader = openReader(bufferPath(settings));
  try {
    const meters = given.meter.length > 0 ? new Set(given.meter) : undefined;
    const range = { fromMs: given.from, toMs, ...(meters !== undefined && { meters }) };
    const found = openDistinctReadings(reader, range, `${given.out}.sort`);
    try {
      const file = createExport(given.out, {
        gateway: settings.gateway.name,
        logId: reader.logId,
        fromMs: given.from,
        toMs,
        createdAtMs: systemClock.now(),
        columns: EXPORT_COLUMNS,
        meters: reader.meters().filter(({ id }) => meters?.has(id) ?? true),
      });
      try {
        for (const rows of found.pages(BLOCK_ROWS)) file.rows(rows.map(exportRowOf));
        file.finish((digest) => ({ publicKey: publicKeyOf(key), signature: signManifest(digest, key) }));
      } catch (error) {
        file.abandon();
        throw error;
      }
      const { count: readings } = found;
      const document = { file: given.out, readings, publicKey: publicKeyOf(key) };
      print(given, document, () => `${readings} readings in ${given.out}, signed with ${document.publicKey}`);
    } finally {
      found.close();
    }
  } finally {
    reader.close();
  }
}

/** The private key of this gateway, made when it is first needed. */
export function exportKey({ gateway }: Settings): string {
  const file = keyFile(gateway.data_dir);
  if (!existsSync(file)) writeFileSync(file, createKeyPair().privateKeyPem, { mode: 0o600, flag: 'wx', flush: true });
  return readSecretFile(file);
}

export const keyFile = (dataDir: string): string => join(dataDir, 'export.key');
