import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, Command, Option } from 'commander';
import type { Size } from './bench/bench.js';
import { keepFigures } from './bench/kept-figures.js';
import { BENCHES, type BenchName } from './bench/registry.js';
import { markdownOf, tableOf } from './bench/report.js';

/** `npm run bench -- ingest`: measures, and says what was measured. This runs as dist/scripts/bench.js. */
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = join(PROJECT, 'docs', 'benchmarks.md');
const NAMES = Object.keys(BENCHES) as BenchName[];

interface Given {
  readonly json?: true;
  readonly full?: true;
  readonly tiny?: true;
  readonly keep?: true;
  readonly dir: string;
}

await new Command('npm run bench --')
  .description('measure one part on this machine, beside what it is compared with')
  .addArgument(new Argument('<name>', 'what to measure; all measures one after the other').choices([...NAMES, 'all']))
  .option('--json', 'print one JSON document: { bench, metrics, ratios }')
  .option('--full', 'also what takes minutes')
  .addOption(new Option('--tiny', 'only shows that it works, within seconds').hideHelp())
  .option('--keep', 'write the figures into docs/benchmarks.md, with this machine and the date')
  .option('--dir <dir>', 'where to write; must be on a disk that reports what is written to it', tmpdir())
  .showHelpAfterError()
  .action(async (name: BenchName | 'all', given: Given) => {
    for (const each of name === 'all' ? NAMES : [name]) await run(each, given);
  })
  .parseAsync();

async function run(name: BenchName, { json, full, tiny, keep, dir: parent }: Given): Promise<void> {
  const size: Size = full ? 'full' : tiny ? 'tiny' : 'quick';
  const bench = await BENCHES[name]();
  const dir = mkdtempSync(join(parent, `wattwarden-bench-${name}-`));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    // Progress goes where it is not in the way of the document.
    const { metrics, ratios, notes = [] } = await bench.measure({ size, dir, say: (text) => console.error(text) });
    for (const note of notes) console.error(note);
    if (json) console.log(JSON.stringify({ bench: name, metrics, ratios }, null, 2));
    else console.log(`\n${name}: ${bench.about}\n\n${tableOf({ metrics, ratios }, bench.goals)}`);
    if (keep) {
      const command = `npm run bench -- ${name}${full ? ' --full' : ''}`;
      keepFigures(PAGE, {
        name,
        command,
        table: markdownOf({ metrics, ratios }, bench.goals),
        notes,
        at: new Date(),
        project: PROJECT,
      });
    }
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  } finally {
    remove();
    process.off('exit', remove);
  }
}
