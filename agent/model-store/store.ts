import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGolden } from '../../models/bundle/golden.js';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../models/bundle/manifest.js';
import { type Bundle, parseManifest, readBundle } from '../../models/bundle/read.js';
import { verifyManifest } from '../../models/bundle/signature.js';
import type { Forecaster } from '../../models/forecaster.js';
import { withContamination } from '../../models/fraud/theft-model.js';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { BundleState } from '../domain/results.js';
import { SLOT_MINUTES } from '../domain/slot.js';
import { type Installed, readInstalled, writeInstalled } from './installed.js';

/** A release as it comes from outside: nothing of it is trusted yet. */
export interface Incoming {
  readonly version: string;
  readonly manifest: Uint8Array;
  readonly signature: string;
  file(name: string): Promise<Uint8Array>;
}

export interface Loaded {
  readonly bundle: Bundle;
  readonly forecaster: Forecaster;
  readonly state: Extract<BundleState, { state: 'active' }>;
}

export interface ModelStore {
  /** Verifies and installs; throws `bundle.*` and leaves everything as it was when something is wrong with it. */
  receive(incoming: Incoming): Promise<'installed' | 'present'>;
  /** The newest bundle that verifies and works on this machine, if any does, and what became of those before it. */
  load(): Promise<{ readonly loaded: Loaded | undefined; readonly refused: readonly BundleState[] }>;
  /** What a receiving that was cut off left behind goes; while none is under way. */
  removeLeftovers(): Promise<void>;
  /** The newest installed version, whether or not it works here. */
  newestVersion(): Promise<string | undefined>;
}

export interface StoreOptions {
  readonly dir: string;
  /** The bundle of the installation itself: trusted like the program that it came with. */
  readonly shippedDir: string;
  readonly trustedKeys: readonly string[];
  /** What the slots of this gateway are; a bundle was made for one width. */
  readonly slotMinutes?: number;
  /** What a score of 0.6 stands for, in place of what the bundle declares; see withContamination. */
  readonly contamination?: number;
  readonly log: Logger;
}

/** The one before stays, so that a release that fails here has something to fall back to without the centre. */
const KEEP = 2;
const INCOMING = 'incoming-';
/** What a refusal calls the bundle of the installation, whose manifest may be what is wrong with it. */
const SHIPPED_VERSION = 'shipped';

export function createModelStore(options: StoreOptions): ModelStore {
  const { dir, shippedDir, trustedKeys, slotMinutes = SLOT_MINUTES, contamination, log } = options;

  async function fittingBundle(place: string): Promise<Bundle> {
    checkWidth(parseManifest(await readManifest(place)).slotMinutes, slotMinutes);
    return readBundle(place, slotMinutes);
  }

  function asExpected(bundle: Bundle): Bundle {
    if (contamination === undefined) return bundle;
    const theft = withContamination(bundle.theft, contamination);
    if (theft !== undefined) return { ...bundle, theft };
    log.warn({ version: bundle.version }, 'an older bundle: fraud.contamination has no effect on it');
    return bundle;
  }

  async function installedBundle({ version }: Installed): Promise<Bundle> {
    const bundle = await fittingBundle(join(dir, version));
    verifyManifest(bundle.manifestBytes, await readFile(join(dir, version, SIGNATURE_FILE), 'utf8'), trustedKeys);
    return bundle;
  }

  /** What is installed but spoilt, or signed by a key that is trusted no more, holds nothing back. */
  async function newestCreatedAt(installed: readonly Installed[]): Promise<number> {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const { version } of installed) {
      try {
        const bytes = await readFile(join(dir, version, MANIFEST_FILE));
        verifyManifest(bytes, await readFile(join(dir, version, SIGNATURE_FILE), 'utf8'), trustedKeys);
        newestMs = Math.max(newestMs, Date.parse(parseManifest(bytes).createdAt));
      } catch (error) {
        log.warn({ version, code: codeOf(error) }, `an installed bundle cannot be read: ${messageOf(error)}`);
      }
    }
    return newestMs;
  }

  return {
    async receive({ version, manifest, signature, file }) {
      verifyManifest(manifest, signature, trustedKeys);
      const { files, version: signedVersion, createdAt } = parseManifest(manifest);
      if (signedVersion !== version) {
        throw new WattwardenError('bundle.unreadable', `offered as ${version}, but its manifest says ${signedVersion}`);
      }
      const installed = await readInstalled(dir);
      // The centre's order of releases is not signed, but this is: an old release with a known fault must not come back.
      const newestMs = await newestCreatedAt(installed);
      if (Date.parse(createdAt) < newestMs) {
        const newest = new Date(newestMs).toISOString();
        throw new WattwardenError(
          'bundle.older',
          `${version} was made at ${createdAt}, the installed one at ${newest}`,
        );
      }
      if (installed.some((entry) => entry.version === version)) return 'present';
      const incoming = join(dir, `${INCOMING}${version}`);
      await rm(incoming, { recursive: true, force: true });
      await mkdir(incoming, { recursive: true });
      try {
        for (const name of Object.keys(files)) await writeDurably(join(incoming, name), await file(name));
        await writeDurably(join(incoming, MANIFEST_FILE), manifest);
        await writeDurably(join(incoming, SIGNATURE_FILE), Buffer.from(signature));
        await fittingBundle(incoming);
        await rm(join(dir, version), { recursive: true, force: true });
        await rename(incoming, join(dir, version));
      } catch (error) {
        await rm(incoming, { recursive: true, force: true });
        throw error;
      }
      const kept = [{ version }, ...installed].slice(0, KEEP);
      await writeInstalled(dir, kept);
      for (const old of installed.slice(KEEP - 1)) await rm(join(dir, old.version), { recursive: true, force: true });
      return 'installed';
    },

    async load() {
      const refused: BundleState[] = [];
      for (const entry of await readInstalled(dir)) {
        try {
          return { loaded: await loadBundle(asExpected(await installedBundle(entry)), log), refused };
        } catch (error) {
          refused.push(refusal(entry.version, error));
        }
      }
      try {
        return { loaded: await loadBundle(asExpected(await fittingBundle(shippedDir)), log), refused };
      } catch (error) {
        return { loaded: undefined, refused: [...refused, refusal(SHIPPED_VERSION, error)] };
      }
    },

    async removeLeftovers() {
      for (const name of await namesIn(dir)) {
        if (name.startsWith(INCOMING)) await rm(join(dir, name), { recursive: true, force: true });
      }
    },

    async newestVersion() {
      return (await readInstalled(dir))[0]?.version;
    },
  };
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A file that cannot be read is named when the bundle is. */
async function readManifest(place: string): Promise<Uint8Array> {
  try {
    return await readFile(join(place, MANIFEST_FILE));
  } catch (error) {
    throw new WattwardenError('bundle.unreadable', messageOf(error), { cause: error });
  }
}

function checkWidth(theirs: number, ours: number): void {
  if (theirs === ours) return;
  throw new WattwardenError('bundle.incompatible', `made for slots of ${theirs} minutes, this buffer has ${ours}`);
}

/** int8 where it gives its own golden outputs on this processor, float32 where only that does. */
async function loadBundle(bundle: Bundle, log: Logger): Promise<Loaded> {
  try {
    return await loadWith(bundle, 'int8');
  } catch (error) {
    log.warn({ version: bundle.version, code: codeOf(error) }, `int8 does not serve here: ${messageOf(error)}`);
    return await loadWith(bundle, 'float32');
  }
}

async function loadWith(bundle: Bundle, precision: 'int8' | 'float32'): Promise<Loaded> {
  // The thread that only installs releases does not load the engine.
  const { openForecaster } = await import('../../models/forecaster.js');
  const forecaster = await openForecaster(bundle, precision);
  try {
    await checkGolden(bundle, forecaster);
  } catch (error) {
    await forecaster.close();
    throw error;
  }
  return { bundle, forecaster, state: { state: 'active', version: bundle.version, precision } };
}

export const refusal = (version: string, error: unknown): BundleState => ({
  state: 'refused',
  version,
  code: codeOf(error) ?? 'bundle.unreadable',
  detail: messageOf(error),
});

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
