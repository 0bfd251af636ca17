import { chmodSync, existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../agent/domain/errors.js';
import { readSecretFile } from '../../config/secrets.js';
import { createKeyPair, publicKeyOf } from '../../models/bundle/signature.js';

export interface SigningKey {
  /** Base64, as it stands in models.trusted_keys. */
  readonly publicKey: string;
  readonly privateKeyPem: string;
}

const PRIVATE_FILE = 'release-key.pem';
const PUBLIC_FILE = 'release-key.pub';

export function loadSigningKey(keysDir: string): SigningKey {
  const privateKeyPem = readSecretFile(join(keysDir, PRIVATE_FILE));
  return { privateKeyPem, publicKey: publicKeyOf(privateKeyPem) };
}

/** The key that is there, or a new one; two programs that start at once end with the same one. */
export function ensureSigningKey(keysDir: string): SigningKey {
  mkdirSync(keysDir, { recursive: true, mode: 0o700 });
  chmodSync(keysDir, 0o700);
  const file = join(keysDir, PRIVATE_FILE);
  if (!existsSync(file)) createOnce(file, createKeyPair().privateKeyPem);
  const key = loadSigningKey(keysDir);
  writeFileSync(join(keysDir, PUBLIC_FILE), `${key.publicKey}\n`, { mode: 0o644 });
  return key;
}

/** Whole or not at all, and never over a key that came in between. */
function createOnce(file: string, privateKeyPem: string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, privateKeyPem, { mode: 0o600 });
  try {
    linkSync(unfinished, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(unfinished);
  }
}
