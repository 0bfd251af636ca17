import { expect, test } from 'vitest';
import { createKeyPair, publicKeyOf, signManifest, verifyManifest } from './signature.js';

const bytes = new TextEncoder().encode('{"format":1}');
const ours = createKeyPair();
const theirs = createKeyPair();
const refused = expect.objectContaining({ code: 'bundle.bad_signature' });

test('what a trusted key signed is accepted, whichever of the keys it was', () => {
  const signature = signManifest(bytes, ours.privateKeyPem);
  expect(() => verifyManifest(bytes, signature, [ours.publicKey])).not.toThrow();
  expect(() => verifyManifest(bytes, `${signature}\n`, [theirs.publicKey, ours.publicKey])).not.toThrow();
});

test('another key, another text, no key and no signature are refused', () => {
  const signature = signManifest(bytes, ours.privateKeyPem);
  const flipped = bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte));
  expect(() => verifyManifest(bytes, signature, [theirs.publicKey])).toThrow(refused);
  expect(() => verifyManifest(flipped, signature, [ours.publicKey])).toThrow(refused);
  expect(() => verifyManifest(bytes, signature, [])).toThrow(refused);
  for (const text of ['', 'AAAA', signature.slice(4), 'not base64 at all']) {
    expect(() => verifyManifest(bytes, text, [ours.publicKey])).toThrow(refused);
  }
  expect(() => verifyManifest(bytes, signature, ['short'])).toThrow(refused);
});

test('a public key is 32 bytes in base64 and belongs to its private half', () => {
  expect(ours.publicKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(publicKeyOf(ours.privateKeyPem)).toBe(ours.publicKey);
});
