import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE, type Manifest, manifestSchema, SIGNATURE_FILE } from './manifest.js';
import { sha256Of } from './read.js';

export interface BundleParts {
  /** All of the manifest except what follows from the files. */
  readonly manifest: Omit<Manifest, 'files'>;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
}

/** Writes the files, then the manifest that names them; a signature of an older bundle does not survive. */
export async function writeBundle(dir: string, { manifest, files }: BundleParts): Promise<void> {
  await mkdir(dir, { recursive: true });
  await rm(join(dir, SIGNATURE_FILE), { force: true });
  const listed: Record<string, { sha256: string; bytes: number }> = {};
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    listed[name] = { sha256: sha256Of(bytes), bytes: bytes.length };
    await writeFile(join(dir, name), bytes);
  }
  const whole = manifestSchema.parse({ ...manifest, files: listed });
  await writeFile(join(dir, MANIFEST_FILE), `${readable(whole)}\n`);
}

/** A line for each key: people read it all the same, and half of it is saved. */
function readable(manifest: Manifest): string {
  const lines = Object.entries(manifest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}`;
}
