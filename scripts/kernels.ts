import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const SOURCE = 'models/engine/kernels/kernels.ts';
const LINE = 110;
/** No runtime of its own: the kernels allocate nothing, and check nothing that their caller has laid out. */
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--outFile', 'kernels.wasm'];

/** The compiled kernels of the forecaster's engine, as a module: it needs no file beside it, wherever it is bundled. */
export async function kernelsFile(root: string): Promise<string> {
  const binary = await compile(readFileSync(join(root, SOURCE), 'utf8'));
  const text = Buffer.from(binary).toString('base64');
  const lines = text.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return `// Generated from ${SOURCE} by \`npm run generate\`: WebAssembly in base64.
export const KERNELS =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
}

async function compile(source: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['kernels.ts', ...OPTIONS], {
    readFile: (name: string) => (name === 'kernels.ts' ? source : null),
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`${SOURCE} does not compile: ${stderr.toString()}`);
  return binary;
}
