import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, Command } from 'commander';
import { assemble } from './assemble/assembly.js';
import { PARTS, type PartName } from './assemble/parts.js';

/** `npm run assemble -- gateway`: one of the two installations as a directory. This runs as dist/scripts/assemble.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));

await new Command('npm run assemble --')
  .description('make a directory that holds one installation, complete but for what npm ci fetches')
  .addArgument(new Argument('<part>', 'which of the two').choices(Object.keys(PARTS)))
  .option('-o, --out <dir>', 'where; installations/<part> if it is not said')
  .showHelpAfterError()
  .action((part: PartName, { out: named }: { readonly out?: string }) => {
    const out = resolve(named ?? resolve(root, 'installations', part));
    try {
      assemble({ root, part, out });
      console.log(`The ${part} stands in ${relative(process.cwd(), out) || '.'}; its INSTALL.md says how it goes on.`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  })
  .parseAsync();
