import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, WattwardenError } from '../../agent/domain/errors.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { type Calibration, parseCalibration } from '../forecast/calibration.js';
import { FEATURE_VERSION } from '../forecast/features.js';
import { QUANTILES, reachOf, slotsPerDay } from '../forecast/horizons.js';
import { parseTheftModel, type TheftModel } from '../fraud/theft-model.js';
import { type Golden, parseGolden } from './golden.js';
import {
  BUNDLE_FORMAT,
  MANIFEST_FILE,
  MAX_BUNDLE_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  manifestSchema,
} from './manifest.js';

/** A bundle in memory, whole and checked; nothing reads its directory again. */
export interface Bundle {
  readonly version: string;
  readonly manifest: Manifest;
  /** What the signature speaks for. */
  readonly manifestBytes: Uint8Array;
  readonly forecast: { readonly int8: Uint8Array; readonly float32: Uint8Array };
  readonly calibration: Calibration;
  readonly theft: TheftModel;
  readonly golden: Golden;
}

/** Of this slot width, where one is asked for. Throws `bundle.unreadable`, `bundle.hash_mismatch` or `bundle.incompatible`; the signature is the caller's. */
export async function readBundle(dir: string, slotMinutes: number | 'any' = SLOT_MINUTES): Promise<Bundle> {
  const { manifest, manifestBytes, file } = await readBundleFiles(dir, slotMinutes);
  const json = (name: string): unknown => parseJson(file(name), name);
  const theft = parseTheftModel(json(manifest.fraud.file));
  if ('reason' in theft) unreadable(`${manifest.fraud.file}: ${theft.reason}`);
  const steps = manifest.horizons.length;
  const calibration = parseCalibration(json(manifest.calibration), steps);
  if ('reason' in calibration) unreadable(`${manifest.calibration}: ${calibration.reason}`);
  const golden = parseGolden(json(manifest.golden), steps * manifest.quantiles.length);
  if ('reason' in golden) unreadable(`${manifest.golden}: ${golden.reason}`);
  return {
    version: manifest.version,
    manifest,
    manifestBytes,
    forecast: { int8: file(manifest.forecast.int8), float32: file(manifest.forecast.float32) },
    calibration,
    theft,
    golden,
  };
}

export interface BundleFiles {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** Throws `bundle.unreadable` for what the manifest does not list. */
  file(name: string): Uint8Array;
}

/** The files as they are, of the promised sizes and hashes; what stands in them is not looked at. */
export async function readBundleFiles(dir: string, slotMinutes: number | 'any'): Promise<BundleFiles> {
  const manifestBytes = await readWhole(join(dir, MANIFEST_FILE), MAX_MANIFEST_BYTES);
  const manifest = parseManifest(manifestBytes);
  checkCompatible(manifest, slotMinutes);
  const files = await readFiles(dir, manifest);
  return { manifest, manifestBytes, file: (name) => files.get(name) ?? unreadable(`${name} is missing`) };
}

export function parseManifest(bytes: Uint8Array): Manifest {
  const json = parseJson(bytes, MANIFEST_FILE);
  // Asked first: another format would fail in many ways that say less.
  if (typeof json !== 'object' || json === null || !('format' in json))
    unreadable(`${MANIFEST_FILE}: not that of a bundle`);
  if (json.format !== BUNDLE_FORMAT) {
    throw new WattwardenError(
      'bundle.incompatible',
      `format ${String(json.format)}, this version reads ${BUNDLE_FORMAT}`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  return parsed.success ? parsed.data : unreadable(`${MANIFEST_FILE}: ${z.prettifyError(parsed.error)}`);
}

function checkCompatible(manifest: Manifest, slotMinutes: number | 'any'): void {
  const asked: readonly (readonly [what: string, theirs: unknown, ours: unknown])[] = [
    ['feature version', manifest.featureVersion, FEATURE_VERSION],
    ['slot minutes', manifest.slotMinutes, slotMinutes === 'any' ? manifest.slotMinutes : slotMinutes],
    ['window slots', manifest.windowSlots, WINDOW_SLOTS],
    ['quantiles', manifest.quantiles.join(' '), QUANTILES.join(' ')],
  ];
  for (const [what, theirs, ours] of asked) {
    if (theirs === ours) continue;
    throw new WattwardenError('bundle.incompatible', `${what}: ${String(theirs)}, this version serves ${String(ours)}`);
  }
  const reach = reachOf(manifest.horizons);
  const perDay = slotsPerDay(manifest.slotMinutes);
  if (reach <= perDay) return;
  throw new WattwardenError(
    'bundle.incompatible',
    `horizons: ${reach} slots, this version serves the ${perDay} of a day`,
  );
}

async function readFiles(dir: string, { files }: Manifest): Promise<Map<string, Uint8Array>> {
  const total = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > MAX_BUNDLE_BYTES) unreadable(`${total} bytes, at most ${MAX_BUNDLE_BYTES}`);
  const read = new Map<string, Uint8Array>();
  for (const [name, { sha256, bytes }] of Object.entries(files)) {
    const content = await readWhole(join(dir, name), MAX_BUNDLE_BYTES);
    if (content.length !== bytes || sha256Of(content) !== sha256) {
      throw new WattwardenError('bundle.hash_mismatch', `${name}: ${differenceOf(content, { sha256, bytes })}`);
    }
    read.set(name, content);
  }
  return read;
}

function differenceOf(content: Uint8Array, said: { readonly sha256: string; readonly bytes: number }): string {
  if (content.length !== said.bytes) return `${content.length} bytes, the manifest says ${said.bytes}`;
  // All of both: a manifest that somebody has changed may differ in the last digit.
  return `SHA-256 ${sha256Of(content)}, the manifest says ${said.sha256}`;
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Never more than `limit` bytes into memory, whatever stands on the disk. */
async function readWhole(path: string, limit: number): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    if (size > limit) unreadable(`${path}: ${size} bytes, at most ${limit}`);
    return Uint8Array.from(await handle.readFile());
  } catch (error) {
    if (error instanceof WattwardenError) throw error;
    throw new WattwardenError('bundle.unreadable', messageOf(error), { cause: error });
  } finally {
    await handle?.close();
  }
}

export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WattwardenError('bundle.unreadable', `${name}: ${messageOf(error)}`, { cause: error });
  }
}

function unreadable(detail: string): never {
  throw new WattwardenError('bundle.unreadable', detail);
}
