import { z } from 'zod';
import type { Clock } from '../../agent/domain/clock.js';
import { type ErrorCode, messageOf, WattwardenError } from '../../agent/domain/errors.js';
import {
  BUNDLE_VERSION,
  MANIFEST_FILE,
  MAX_BUNDLE_BYTES,
  MAX_MANIFEST_BYTES,
  SIGNATURE_FILE,
} from '../../models/bundle/manifest.js';
import type { ApiFunction } from '../contract/version.js';

/** A bundle as the centre gives it: nothing of it is verified here. */
export interface ReceivedBundle {
  readonly version: string;
  readonly manifest: Buffer;
  readonly signature: string;
  /** Fetched when asked for, so that one file at a time is in memory. */
  file(name: string): Promise<Buffer>;
}

export interface BundleReceiver {
  /** Verifies and stores; throws `bundle.*` when it will not have it, and anything else when it cannot. */
  receive(bundle: ReceivedBundle): Promise<'installed' | 'present'>;
}

interface PullCentre {
  call(name: ApiFunction, values: readonly unknown[], signal?: AbortSignal): Promise<readonly unknown[]>;
}

export interface PullOptions {
  readonly centre: PullCentre;
  readonly store: BundleReceiver;
  installedVersion(): string | undefined;
  readonly clock: Clock;
}

export type Pulled =
  /** `none`: nothing is released. `current`: the newest is installed. `known`: it was fetched lately and is not asked for again. */
  | { readonly outcome: 'none' | 'current' | 'known' }
  | { readonly outcome: 'received'; readonly version: string }
  | { readonly outcome: 'refused'; readonly version: string; readonly code: ErrorCode; readonly detail: string };

export interface Pull {
  pullOnce(signal: AbortSignal): Promise<Pulled>;
}

/** A refused bundle costs the link its size at each attempt; by then somebody may have mended this gateway. */
const AGAIN_AFTER_REFUSAL_MS = 24 * 3_600_000;
/** A full disk costs the same, and says nothing of the bundle. */
const AGAIN_AFTER_FAILURE_MS = 3_600_000;
const MAX_FILES = 64;

const releaseRow = z.object({
  sequence: z.int(),
  version: z.string().regex(BUNDLE_VERSION),
  /** Changes when the manifest or its signature does. */
  fingerprint: z.string().max(128),
  bytes: z.int().nonnegative(),
});
type ReleaseRow = z.infer<typeof releaseRow>;
const fileRow = z.object({ content: z.instanceof(Buffer) });

/** Fetches the newest release when it is not the installed one. What to think of it is the store's business. */
export function createPull({ centre, store, installedVersion, clock }: PullOptions): Pull {
  let attempted: { fingerprint: string; againAtMs: number } | undefined;

  async function latest(signal: AbortSignal): Promise<ReleaseRow | undefined> {
    const [row] = await centre.call('latest_release', [], signal);
    if (row === undefined) return undefined;
    const parsed = releaseRow.safeParse(row);
    if (parsed.success) return parsed.data;
    throw new WattwardenError('centre.incompatible', `latest_release: ${z.prettifyError(parsed.error)}`);
  }

  return {
    async pullOnce(signal) {
      const release = await latest(signal);
      if (release === undefined) return { outcome: 'none' };
      const { version, fingerprint } = release;
      if (version === installedVersion()) return { outcome: 'current' };
      if (attempted?.fingerprint === fingerprint && clock.monotonicMs() < attempted.againAtMs) {
        return { outcome: 'known' };
      }
      const remember = (forMs: number) => {
        attempted = { fingerprint, againAtMs: clock.monotonicMs() + forMs };
      };
      try {
        if (release.bytes > MAX_BUNDLE_BYTES) {
          throw new WattwardenError('bundle.unreadable', `${release.bytes} bytes; at most ${MAX_BUNDLE_BYTES}`);
        }
        const fetchFile = createFetcher(centre, version, signal);
        const manifest = await fetchFile(MANIFEST_FILE, MAX_MANIFEST_BYTES);
        const signature = (await fetchFile(SIGNATURE_FILE, MAX_MANIFEST_BYTES)).toString('utf8');
        const outcome = await store.receive({
          version,
          manifest,
          signature,
          file: (name) => fetchFile(name, MAX_BUNDLE_BYTES),
        });
        remember(AGAIN_AFTER_REFUSAL_MS);
        return outcome === 'installed' ? { outcome: 'received', version } : { outcome: 'current' };
      } catch (error) {
        const code = error instanceof WattwardenError ? error.code : undefined;
        // The link's failures are tried again as soon as it is back, and a stop is nobody's failure.
        if (code?.startsWith('centre.') || signal.aborted) throw error;
        if (code === undefined || !code.startsWith('bundle.')) {
          remember(AGAIN_AFTER_FAILURE_MS);
          throw error;
        }
        remember(AGAIN_AFTER_REFUSAL_MS);
        return { outcome: 'refused', version, code, detail: messageOf(error) };
      }
    },
  };
}

type FetchFile = (name: string, maxBytes: number) => Promise<Buffer>;

/** Files of one release, bounded in number and in bytes together: a manifest may name anything. */
function createFetcher(centre: PullCentre, version: string, signal: AbortSignal): FetchFile {
  let files = 0;
  let bytes = 0;
  return async (name, maxBytes) => {
    files += 1;
    if (files > MAX_FILES) throw new WattwardenError('bundle.unreadable', `more than ${MAX_FILES} files`);
    const [row] = await centre.call('release_file', [version, name], signal);
    const parsed = fileRow.safeParse(row);
    if (!parsed.success) throw new WattwardenError('bundle.unreadable', `the centre has no file ${name} of ${version}`);
    const { content } = parsed.data;
    bytes += content.length;
    if (content.length > maxBytes || bytes > MAX_BUNDLE_BYTES + 2 * MAX_MANIFEST_BYTES) {
      throw new WattwardenError('bundle.unreadable', `${name} has ${content.length} bytes, which is too much`);
    }
    return content;
  };
}
