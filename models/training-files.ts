import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../agent/domain/errors.js';
import type { Checkpoints } from './forecast/train/checkpoint.js';

/** A training's progress in a file, replaced as a whole: a kill in between leaves the one before. */
export function fileCheckpoints(dir: string, name: string): Checkpoints {
  const path = join(dir, name);
  return {
    name: path,
    async load() {
      try {
        return await readFile(path);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save(bytes) {
      await mkdir(dir, { recursive: true });
      await writeFile(`${path}.new`, bytes);
      await rename(`${path}.new`, path);
    },
  };
}
