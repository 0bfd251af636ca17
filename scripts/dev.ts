import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `npm run dev`: the compiler watches, and `wattwarden up` is started again whenever it has compiled without a fault. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const program = fileURLToPath(new URL('../agent/main.js', import.meta.url));

let running: ChildProcess | undefined;
let turns = Promise.resolve();
let ending = false;

const watching = spawn(process.execPath, [compiler, '-p', '.', '--watch', '--preserveWatchOutput', '--noEmitOnError'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
watching.stdout.setEncoding('utf8').on('data', (text: string) => {
  process.stdout.write(text);
  if (/Found 0 errors/.test(text)) turns = turns.then(restart);
});
watching.on('exit', (code) => end(code ?? 1));
process.on('SIGINT', () => end(0));
process.on('SIGTERM', () => end(0));

async function restart(): Promise<void> {
  await stopped();
  if (ending) return;
  running = spawn(process.execPath, [program, 'up', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
}

/** Resolves when the programs have stored what they acknowledged and ended by themselves. */
async function stopped(): Promise<void> {
  const child = running;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}

function end(code: number): void {
  if (ending) return;
  ending = true;
  watching.kill();
  turns = turns.then(stopped).then(() => process.exit(code));
}
