import { existsSync } from 'node:fs';
import type { Settings } from '../../config/schema.js';
import { readSecretFile } from '../../config/secrets.js';
import { publicKeyOf, verifyManifest } from '../../models/bundle/signature.js';
import { openDistinctReadings } from '../buffer/distinct-readings.js';
import { openLastingBuffer } from '../buffer/lasting-buffer.js';
import { openReader } from '../buffer/reader.js';
import { systemClock } from '../domain/clock.js';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import { exportRowOf, parseExportMeter, parseExportRow } from '../domain/export-row.js';
import { silentLogger } from '../domain/log.js';
import type { StoredReading } from '../domain/stored.js';
import { askGateway } from '../ops/control.js';
import { checkExport, exportedRows, type VerifiedExport } from '../ops/export-file.js';
import { type ImportBatch, parseImportBatch } from '../ops/import-batch.js';
import { bufferOptions, bufferPath, controlPath, makeDataDir } from '../settings.js';
import { keyFile } from './export.js';
import { type Given, print, settingsOf } from './given.js';

export interface Importing extends Given {
  readonly trustedKey: readonly string[];
}

/** Stored in one go: a few milliseconds of the thread that takes readings in, also when each finds its own old slot. */
const STEP_ROWS = 200;

/** Stores a batch and says how many of its readings were new. */
type Store = (batch: ImportBatch) => Promise<number>;

/** Verified from end to end before the first row of it is stored. */
export async function importFile(file: string, given: Importing): Promise<void> {
  const settings = settingsOf(given);
  const checked = checkExport(file);
  verify(checked, trustedKeys(settings, given.trustedKey), file);
  const writer = await openWriter(settings);
  try {
    const result = await storeAll(file, checked, { settings, store: writer.store });
    print(given, { file, ...result }, () => `${result.stored} readings stored, ${result.known} were there already`);
  } finally {
    writer.close();
  }
}

/** This gateway's own exports are trusted, and those that whoever imports vouches for. */
function trustedKeys({ gateway }: Settings, named: readonly string[]): readonly string[] {
  const file = keyFile(gateway.data_dir);
  return existsSync(file) ? [publicKeyOf(readSecretFile(file)), ...named] : named;
}

function verify({ digest, signature }: VerifiedExport, trusted: readonly string[], file: string): void {
  try {
    verifyManifest(digest, signature.signature, trusted);
  } catch (error) {
    const detail = `${file}: ${messageOf(error)}; it names the key ${signature.publicKey}`;
    throw new WattwardenError('export.bad_signature', detail, { cause: error });
  }
}

interface Work {
  readonly settings: Settings;
  readonly store: Store;
}

async function storeAll(file: string, { head }: VerifiedExport, { settings, store }: Work) {
  const reader = openReader(bufferPath(settings));
  // What is in the log, whatever slots still know of it.
  const own = openDistinctReadings(
    reader,
    { fromMs: head.fromMs, toMs: head.toMs },
    `${bufferPath(settings)}.import-sort`,
  );
  try {
    let [stored, known, unusable] = [0, 0, 0];
    const meters = head.meters.flatMap((meter) => parseExportMeter(meter) ?? []);
    for (let from = 0; from < meters.length; from += STEP_ROWS) {
      await store({ meters: meters.slice(from, from + STEP_ROWS), rows: [] });
    }
    for (const rows of exportedRows(file)) {
      const readings = rows.flatMap((row) => parseExportRow(row) ?? []);
      unusable += rows.length - readings.length;
      const fresh = readings.filter((reading: StoredReading) => !own.has(reading.meter, reading.takenAtMs));
      let added = 0;
      for (let from = 0; from < fresh.length; from += STEP_ROWS) {
        added += await store({ meters: [], rows: fresh.slice(from, from + STEP_ROWS).map(exportRowOf) });
      }
      stored += added;
      known += readings.length - added;
    }
    return { stored, known, unusable };
  } finally {
    own.close();
    reader.close();
  }
}

/** Never two writers: the gateway that runs, or, where none does, this process with the same lock. */
async function openWriter(settings: Settings): Promise<{ readonly store: Store; close(): void }> {
  const path = controlPath(settings);
  try {
    await askGateway(path, 'view');
    return {
      store: async (batch) => Number(await askGateway(path, 'import', JSON.stringify(batch))),
      close: () => undefined,
    };
  } catch (error) {
    if (codeOf(error) !== 'gateway.not_running') throw error;
  }
  makeDataDir(settings);
  const buffer = openLastingBuffer({ ...bufferOptions(settings), clock: systemClock, log: silentLogger });
  return {
    async store(batch) {
      const { meters, readings } = parseImportBatch(batch);
      return buffer.importReadings(meters, readings);
    },
    close() {
      while (buffer.closeSlots(systemClock.now(), 500).more);
      buffer.close();
    },
  };
}
