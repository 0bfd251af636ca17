/** Numbers in JSON files of a bundle: little-endian, in base64, a third of their size as text. */
export function base64Of({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** The bytes in a buffer of their own, so that they are aligned for any typed array. */
export function bytesFrom(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

export function float32From(base64: string): Float32Array {
  const bytes = bytesFrom(base64);
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}
