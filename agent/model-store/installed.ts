import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../domain/errors.js';

const FILE = 'installed.json';
const schema = z.array(z.strictObject({ version: z.string() })).max(16);

export type Installed = z.infer<typeof schema>[number];

/** Which releases are installed, newest first. An unreadable list is an empty one: the centre gives the release again. */
export async function readInstalled(dir: string): Promise<readonly Installed[]> {
  let text: string;
  try {
    text = await readFile(join(dir, FILE), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return [];
  }
}

export async function writeInstalled(dir: string, installed: readonly Installed[]): Promise<void> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, FILE);
  const file = await open(`${path}.new`, 'w');
  try {
    await file.writeFile(JSON.stringify(installed));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
