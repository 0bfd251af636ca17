import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export async function prepare(root = ROOT) {
  if (isInstalled(root) && isBuilt(root)) return;
  await withLock(join(root, '.prepare.lock'), async () => {
    // Whoever held the lock before may have done it all.
    if (!isInstalled(root)) await install(root);
    if (!isBuilt(root)) await build(root);
  });
}
