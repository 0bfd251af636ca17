// `npm run help`: what can be done here, in words. tests/menu.test.ts keeps it complete.
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

export const MENU = {
  start: 'install and build what is missing, then run all of it: meters, gateway, centre and page',
  test: 'run every test; `npm test -- agent/buffer` runs those of one folder',
  check: 'formatting, lint, types, structure and generated files, without the long tests',
  soak: 'the long tests: 40 kills of each kind, 100,000 streams of bytes and as many payloads, and a week of faults in an hour',
  build: 'install and build what is missing; dist/ mirrors the sources',
  dev: 'like start, built and started again at each change',
  simulate: 'publish as a fleet of simulated meters; `npm run simulate -- --help` lists its options',
  realism: 'compare simulated households with a file of real ones; docs/simulator.md shows how',
  bench: 'measure how fast a part runs on this machine; `npm run bench -- --help` lists the parts',
  eval: 'measure how good the models are',
  train: 'train the bundle that is shipped in models/bundles',
  assemble: 'make an installation for production: `npm run assemble -- gateway` or `-- centre`',
  generate: 'write the files that are made from tables: example configuration, references, lists of errors',
  format: 'put the sources into the agreed form and mend what lint can mend',
  clean: 'remove what was built and assembled here',
  help: 'show this list',
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const width = Math.max(...Object.keys(MENU).map((name) => name.length));
  for (const [name, words] of Object.entries(MENU)) {
    const short = name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`;
    console.log(`  ${short.padEnd(width + 8)}  ${words}`);
  }
}
