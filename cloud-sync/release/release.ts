import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WattwardenError } from '../../agent/domain/errors.js';
import { readBundle } from '../../models/bundle/read.js';
import { signManifest } from '../../models/bundle/signature.js';
import type { Connection } from '../timescale/connection.js';

export interface Release {
  readonly sequence: number;
  readonly version: string;
  /** False when exactly this bundle was released before. */
  readonly isNew: boolean;
}

interface ReleaseOptions {
  readonly connection: Connection;
  readonly bundleDir: string;
  readonly privateKeyPem: string;
}

/** Signs a bundle that reads back whole, and makes it the one that gateways ask for. */
export async function releaseBundle({ connection, bundleDir, privateKeyPem }: ReleaseOptions): Promise<Release> {
  const { version, manifest, manifestBytes } = await readBundle(bundleDir, 'any');
  const signature = signManifest(manifestBytes, privateKeyPem);
  return connection.transaction(async () => {
    const [inserted] = await connection.query(
      `insert into wattwarden_data.release (version, manifest, signature) values ($1, $2, $3)
         on conflict (version) do nothing returning sequence`,
      [version, Buffer.from(manifestBytes), signature],
    );
    if (inserted === undefined) return alreadyReleased(connection, version, manifestBytes);
    for (const name of Object.keys(manifest.files)) {
      const content = await readFile(join(bundleDir, name));
      await connection.query('insert into wattwarden_data.release_file (version, name, content) values ($1, $2, $3)', [
        version,
        name,
        content,
      ]);
    }
    return { version, sequence: Number(inserted['sequence']), isNew: true };
  });
}

/** The manifest names the hash of every file, so equal manifests are equal bundles. */
async function alreadyReleased(connection: Connection, version: string, manifestBytes: Uint8Array): Promise<Release> {
  const [row] = await connection.query('select sequence, manifest from wattwarden_data.release where version = $1', [
    version,
  ]);
  const manifest = row?.['manifest'];
  if (!Buffer.isBuffer(manifest) || !manifest.equals(manifestBytes)) {
    throw new WattwardenError('release.exists', `${version} was released with other contents`);
  }
  return { version, sequence: Number(row?.['sequence']), isNew: false };
}
