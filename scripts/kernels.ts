import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const FOLDER = 'models/engine/kernels';
const ENTRY = 'kernels.ts';
const LINE = 110;
/** No runtime of its own: the kernels allocate nothing, and check nothing that their caller has laid out. */
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--outFile', 'kernels.wasm'];

/** The compiled kernels of the models, as a module: it needs no file beside it, wherever it is bundled. */
export async function kernelsFile(root: string): Promise<string> {
  const binary = await compile(join(root, FOLDER));
  const text = Buffer.from(binary).toString('base64');
  const lines = text.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return `// Generated from ${FOLDER} by \`npm run generate\`: WebAssembly in base64.
export const KERNELS =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
}

async function compile(folder: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([ENTRY, ...OPTIONS], {
    readFile: (name: string) => {
      // What stands in the sources as a compiled file is meant as its source.
      const path = join(folder, name.replace('.js.ts', '.ts'));
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`${FOLDER} does not compile: ${stderr.toString()}`);
  return binary;
}
