import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { failure } from './failure.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const BEAT_MS = 1_000;
/** A holder that has not been heard of for so long is dead; it beats thirty times as often. */
const STALE_MS = 30_000;
/** Longer than a compilation of the native parts on a small machine. */
const PATIENCE_MS = 30 * 60_000;

/** One at a time, also over processes, users and containers that share the directory. */
export async function withLock(file, work) {
  const token = randomUUID();
  await take(file, token);
  const release = () => {
    if (read(file) === token) rmSync(file, { force: true });
  };
  // Ctrl-C during an installation must not make the next one wait until the lock is stale.
  const interrupted = () => process.exit(130);
  for (const signal of SIGNALS) process.once(signal, interrupted);
  process.once('exit', release);
  // A file's age needs no agreement about process ids, which differ between containers.
  const beat = setInterval(() => touch(file), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    for (const signal of SIGNALS) process.off(signal, interrupted);
    process.off('exit', release);
    release();
  }
}

async function take(file, token) {
  const deadline = Date.now() + PATIENCE_MS;
  let said = false;
  while (Date.now() < deadline) {
    try {
      writeFileSync(file, token, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw failure(`${file} cannot be written: ${error.message}`);
    }
    if (isStale(file)) breakLock(file, token);
    else if (!said) console.log('wattwarden: another process installs or builds here; waiting for it …');
    said = true;
    await delay(200);
  }
  throw failure(
    `Another process has held ${file} for half an hour. If none is running, delete the file and try again.`,
  );
}

/** The name is taken away in one step; if a new holder had come in between, it gets it back. */
function breakLock(file, token) {
  const before = read(file);
  const aside = `${file}.${token}`;
  try {
    renameSync(file, aside);
    if (read(aside) === before) rmSync(aside);
    else renameSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function isStale(file) {
  try {
    return Date.now() - statSync(file).mtimeMs > STALE_MS;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
