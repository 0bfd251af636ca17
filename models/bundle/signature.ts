import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { messageOf, WattwardenError } from '../../agent/domain/errors.js';

const RAW_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** The DER header of every Ed25519 public key (RFC 8410); the 32 raw bytes follow it. */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex');

export interface KeyPair {
  /** Base64 of the 32 raw bytes; what stands in models.trusted_keys. */
  readonly publicKey: string;
  readonly privateKeyPem: string;
}

export function createKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: rawBase64(publicKey),
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

/** The public half of a private key, as it stands in models.trusted_keys. */
export function publicKeyOf(privateKeyPem: string): string {
  return rawBase64(createPublicKey(createPrivateKey(privateKeyPem)));
}

export function signManifest(manifestBytes: Uint8Array, privateKeyPem: string): string {
  return sign(null, manifestBytes, createPrivateKey(privateKeyPem)).toString('base64');
}

/** Returns when one of the keys made the signature; throws `bundle.bad_signature` otherwise. */
export function verifyManifest(
  manifestBytes: Uint8Array,
  signatureBase64: string,
  trustedKeys: readonly string[],
): void {
  if (trustedKeys.length === 0) throw new WattwardenError('bundle.bad_signature', 'no key is trusted here');
  const signature = Buffer.from(signatureBase64.trim(), 'base64');
  if (signature.length !== SIGNATURE_BYTES) {
    throw new WattwardenError('bundle.bad_signature', 'the signature is not 64 bytes in base64');
  }
  if (trustedKeys.some((key) => verify(null, manifestBytes, publicKeyFrom(key), signature))) return;
  throw new WattwardenError('bundle.bad_signature', `signed by none of ${trustedKeys.length} trusted keys`);
}

function publicKeyFrom(base64: string): KeyObject {
  const raw = Buffer.from(base64, 'base64');
  try {
    if (raw.length !== RAW_KEY_BYTES) throw new Error(`${raw.length} bytes in place of ${RAW_KEY_BYTES}`);
    return createPublicKey({ key: Buffer.concat([SPKI_HEADER, raw]), format: 'der', type: 'spki' });
  } catch (error) {
    throw new WattwardenError('bundle.bad_signature', `not an Ed25519 public key: ${messageOf(error)}`);
  }
}

const rawBase64 = (key: KeyObject): string =>
  key.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEADER.length).toString('base64');
