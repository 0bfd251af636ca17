import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adviceOn } from '../scripts/prepare/advice.mjs';
import { build, isBuilt } from '../scripts/prepare/build.mjs';
import { isInstalled } from '../scripts/prepare/install.mjs';
import { withLock } from '../scripts/prepare/lock.mjs';

const here = fileURLToPath(new URL('..', import.meta.url));
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wattwarden prepare '));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(join(root, file, '..'), { recursive: true });
  writeFileSync(join(root, file), text);
}

/** A checkout with one source, on the compiler that is installed here. */
function writeCheckout(): void {
  cpSync(join(here, 'tsconfig.json'), join(root, 'tsconfig.json'));
  mkdirSync(join(root, 'node_modules'));
  for (const name of ['typescript', '@typescript', '@types', 'undici-types']) {
    if (existsSync(join(here, 'node_modules', name)))
      symlinkSync(join(here, 'node_modules', name), join(root, 'node_modules', name));
  }
  write('package.json', '{ "type": "module", "bin": { "one": "dist/agent/one.js" } }');
  write('package-lock.json', '{}');
  write('agent/one.ts', 'export const one: number = 1;\n');
  write('agent/ui/public/index.html', '<p>');
  write('agent/ui/page/tsconfig.json', readFileSync(join(here, 'agent/ui/page/tsconfig.json'), 'utf8'));
  write('agent/ui/page/main.ts', 'export const page = document.title;\n');
  write('models/bundles/b/model.onnx', 'weights');
}

test('a build mirrors the sources, the page beside its static files, and is not repeated', async () => {
  writeCheckout();
  expect(isBuilt(root)).toBe(false);
  await build(root);
  expect(isBuilt(root)).toBe(true);
  expect(readFileSync(join(root, 'dist/agent/one.js'), 'utf8')).toContain('export const one = 1;');
  expect(readFileSync(join(root, 'dist/agent/ui/public/index.html'), 'utf8')).toBe('<p>');
  expect(existsSync(join(root, 'dist/agent/ui/public/main.js'))).toBe(true);
  expect(existsSync(join(root, 'dist/models'))).toBe(false);
});

test('what package.json names as a command may be run, also after everything was cleared and built again', async () => {
  writeCheckout();
  for (let builds = 0; builds < 2; builds += 1) {
    await build(root);
    expect(statSync(join(root, 'dist/agent/one.js')).mode & 0o111).toBe(0o111);
    rmSync(join(root, 'dist'), { recursive: true });
  }
});

test('what runs day and night is loaded from chunks, and finds its worker and the files beside it', async () => {
  writeCheckout();
  const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;
  write(
    'agent/deep/beside.ts',
    lines(
      "import { readFileSync } from 'node:fs';",
      "export const read = () => readFileSync(new URL('../ui/public/index.html', import.meta.url), 'utf8');",
      "export const worker = new URL('../threads/companion-worker.js', import.meta.url);",
    ),
  );
  write(
    'agent/commands/run.ts',
    lines(
      "import { Worker } from 'node:worker_threads';",
      "import { read, worker } from '../deep/beside.js';",
      "import { one } from '../one.js';",
      "new Worker(worker).once('message', (said) => console.log(read(), one, said));",
    ),
  );
  write(
    'agent/threads/companion-worker.ts',
    lines(
      "import { parentPort } from 'node:worker_threads';",
      "import { read } from '../deep/beside.js';",
      'parentPort?.postMessage(read() + " → there"); // → here',
    ),
  );
  await build(root);
  await build(root);
  const entry = join(root, 'dist/agent/commands/run.js');
  expect(readFileSync(entry, 'utf8')).toContain('"../chunks/');
  const chunks = readdirSync(join(root, 'dist/agent/chunks')).filter((file) => file.endsWith('.js'));
  expect(chunks).toHaveLength(1);
  // V8 would keep it with two bytes for each character, and comments too.
  const outward = readFileSync(join(root, 'dist/agent/threads/companion-worker.js'), 'utf8');
  expect(Buffer.byteLength(outward)).toBe(outward.length);
  expect(outward).not.toMatch(/\bhere\b/);
  expect(outward).toContain('there');
  rmSync(join(root, 'dist/agent/one.js'));
  rmSync(join(root, 'dist/agent/deep'), { recursive: true });
  expect(spawnSync(process.execPath, [entry], { encoding: 'utf8' }).stdout).toBe('<p> 1 <p> → there\n');
});

test('times say nothing, content does', async () => {
  writeCheckout();
  await build(root);
  utimesSync(join(root, 'agent/one.ts'), new Date(), new Date(Date.now() + 60_000));
  expect(isBuilt(root)).toBe(true);
  write('agent/ui/public/index.html', '<b>');
  expect(isBuilt(root)).toBe(false);
});

test('what a deleted or renamed source left behind goes', async () => {
  writeCheckout();
  write('agent/two.ts', "export * from './one.js';\n");
  await build(root);
  rmSync(join(root, 'agent/two.ts'));
  rmSync(join(root, 'agent/ui/public/index.html'));
  await build(root);
  for (const gone of ['two.js', 'two.js.map', 'ui/public/index.html'])
    expect(existsSync(join(root, 'dist/agent', gone))).toBe(false);
  expect(existsSync(join(root, 'dist/agent/one.js'))).toBe(true);
});

test('sources that do not compile leave dist/ as it was, and are tried again', async () => {
  writeCheckout();
  await build(root);
  write('agent/one.ts', 'export const one: number = "no";\n');
  await expect(build(root)).rejects.toMatchObject({
    forPeople: true,
    message: expect.stringContaining('agent/one.ts(1,14)'),
  });
  expect(readFileSync(join(root, 'dist/agent/one.js'), 'utf8')).toContain('export const one = 1;');
  expect(isBuilt(root)).toBe(false);
});

test('an installation fits its lock file only as long as that stays the same', () => {
  for (const file of ['package.json', 'package-lock.json', 'agent/package.json', 'cloud-sync/package.json']) {
    write(file, readFileSync(join(here, file), 'utf8'));
  }
  expect(isInstalled(root)).toBe(false);
  cpSync(join(here, 'node_modules/.wattwarden-lock'), join(root, 'node_modules/.wattwarden-lock'));
  expect(isInstalled(root)).toBe(true);
  write('package.json', readFileSync(join(here, 'package.json'), 'utf8').replace('"start":', '"begin":'));
  expect(isInstalled(root)).toBe(true);
  write('package-lock.json', '{}');
  expect(isInstalled(root)).toBe(false);
});

test('two at once take turns', async () => {
  const file = join(root, 'lock');
  let inside = 0;
  const order: string[] = [];
  const work = (name: string) =>
    withLock(file, async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(name);
      inside -= 1;
    });
  await Promise.all([work('a'), work('b'), work('c')]);
  expect(order.sort()).toEqual(['a', 'b', 'c']);
  expect(existsSync(file)).toBe(false);
});

test('a lock whose holder is dead is broken, one that is kept up to date is not', async () => {
  const file = join(root, 'lock');
  writeFileSync(file, 'somebody');
  const old = new Date(Date.now() - 60_000);
  utimesSync(file, old, old);
  expect(await withLock(file, async () => readFileSync(file, 'utf8'))).not.toBe('somebody');
  await withLock(file, async () => {
    const before = statSync(file).mtimeMs;
    const deadline = Date.now() + 10_000;
    while (statSync(file).mtimeMs === before && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(statSync(file).mtimeMs).toBeGreaterThan(before);
  });
});

test('a holder that is told to end takes its lock with it', () => {
  const file = join(root, 'lock');
  const program = `import(${JSON.stringify(join(here, 'scripts/prepare/lock.mjs'))}).then(({ withLock }) =>
    withLock(${JSON.stringify(file)}, () => { process.kill(process.pid, 'SIGTERM'); return new Promise(() => {}); }));`;
  expect(spawnSync(process.execPath, ['-e', program]).status).toBe(130);
  expect(existsSync(file)).toBe(false);
});

test('what is missing to compile is named', () => {
  const output = 'npm error gyp ERR! node-gyp rebuild';
  expect(adviceOn(output, root)).toContain('this is missing: python3, make, g++.');
  for (const name of ['make', 'clang++']) writeFileSync(join(root, name), '', { mode: 0o755 });
  expect(adviceOn(output, root)).toContain('this is missing: python3.');
  writeFileSync(join(root, 'python3'), '', { mode: 0o755 });
  expect(adviceOn(output, root)).toContain('could neither be downloaded nor compiled');
  expect(adviceOn('npm error code ENOTFOUND', root)).toContain('registry cannot be reached');
  expect(adviceOn('something else', root)).toBe('Its words are above.');
});

test('a Node.js that is too old is told so', () => {
  const program = `Object.defineProperty(process, 'versions', { value: { node: '18.20.1' } });
    import(${JSON.stringify(join(here, 'scripts/prepare.mjs'))});`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('wattwarden needs Node.js 20.19 or later; this is 18.20.1');
});
