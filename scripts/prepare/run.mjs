import { spawn } from 'node:child_process';

/** Enough for the end of a compiler's complaint. */
const MAX_KEPT_CHARACTERS = 20_000;

/** Runs a program with nothing on its standard input; resolves to its exit code and the end of what it wrote. */
export function run(program, args, { cwd, env = process.env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-MAX_KEPT_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 1, signal, output: output.trim() }));
  });
}
