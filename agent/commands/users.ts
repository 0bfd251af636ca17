import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { readSecretFile } from '../../config/secrets.js';
import { WattwardenError } from '../domain/errors.js';
import { isUserName, type RoleName, USER_NAME_RULE } from '../ingest/access.js';
import { hashPassword, MAX_PASSWORD_BYTES } from '../ingest/password-hash.js';
import { MAX_USERS_FILE_BYTES, parseUsers, USERS_FILE_HEAD, withoutUser, withUser } from '../ingest/users-file.js';
import { textTable } from '../ops/table.js';
import { type Given, print, settingsOf } from './given.js';

/** The file of users, edited in place; a running gateway reads it again by itself. */

export interface Adding extends Given {
  readonly role: RoleName;
  readonly topic: readonly string[];
  readonly certificateOnly?: true;
  readonly generate?: true;
}

export async function addUser(name: string, given: Adding): Promise<void> {
  if (!isUserName(name)) throw new WattwardenError('users.invalid', `${name}: must be ${USER_NAME_RULE}`);
  const file = fileOf(given);
  const password = given.certificateOnly === true ? undefined : await newPassword(given);
  const hash = password === undefined ? undefined : await hashPassword(Buffer.from(password));
  write(file, withUser(textOf(file), { name, role: given.role, hash, topics: given.topic }));
  console.log(given.generate === true ? password : `${name} may connect as ${given.role}.`);
}

export function removeUser(name: string, given: Given): void {
  const file = fileOf(given);
  const left = withoutUser(textOf(file), name);
  if (left === undefined) throw new WattwardenError('users.invalid', `${file}: holds no user ${name}`);
  write(file, left);
  console.log(`${name} is removed.`);
}

export function listUsers(given: Given): void {
  const file = fileOf(given);
  const rows = [...parseUsers(textOf(file), file).values()].map(({ name, role, password, topics }) => ({
    name,
    role,
    with: typeof password === 'string' ? password : 'password',
    topics: topics ?? [],
  }));
  print(given, rows, () => {
    const cells = rows.map((row) => [row.name, row.role, row.with, row.topics.join(' ')]);
    return textTable(['name', 'role', 'with', 'topics of its own'], cells);
  });
}

function fileOf(given: Given): string {
  const file = settingsOf(given).mqtt.users_file;
  if (file === undefined)
    throw new WattwardenError('config.invalid', 'mqtt.users_file: must be given for this command');
  return file;
}

const textOf = (file: string): string =>
  existsSync(file) ? readSecretFile(file, MAX_USERS_FILE_BYTES) : USERS_FILE_HEAD;

/** Whole or not at all: the gateway may read it at any moment. A text with a fault is not written. */
function write(file: string, text: string): void {
  parseUsers(text, file);
  const fresh = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(fresh, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(fresh, file);
}

async function newPassword({ generate }: Adding): Promise<string> {
  if (generate === true) return randomBytes(18).toString('base64url');
  const password = process.stdin.isTTY ? await ask('Password: ') : firstLine(await readAll(process.stdin));
  const bytes = Buffer.byteLength(password);
  if (bytes >= 1 && bytes <= MAX_PASSWORD_BYTES) return password;
  throw new WattwardenError('secret.unreadable', `a password has 1 to ${MAX_PASSWORD_BYTES} bytes (got ${bytes})`);
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? '';

/** Without an echo; a password given as an argument would stand in the history and in the list of processes. */
async function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  try {
    let typed = '';
    for await (const chunk of stdin.setEncoding('utf8')) {
      for (const key of String(chunk)) {
        if (key === '\r' || key === '\n' || key === '\u0004') return typed;
        if (key === '\u0003') throw new WattwardenError('secret.unreadable', 'no password was given');
        typed = key === '\u007f' ? typed.slice(0, -1) : typed + key;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
    stderr.write('\n');
  }
}
