import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readSecretFile } from '../config/secrets.js';
import { WattwardenError } from './domain/errors.js';
import { isUserName, ROLES, type RoleName, USER_NAME_RULE } from './ingest/access.js';
import { hashPassword, MAX_PASSWORD_BYTES } from './ingest/password-hash.js';
import { MAX_USERS_FILE_BYTES, parseUsers, USERS_FILE_HEAD, withoutUser, withUser } from './ingest/users-file.js';
import { textTable } from './ops/table.js';

interface Common {
  readonly config?: string;
  readonly json?: true;
}
interface Adding extends Common {
  readonly role: RoleName;
  readonly topic: readonly string[];
  readonly certificateOnly?: true;
  readonly generate?: true;
}

interface Shared {
  config(): Option;
  json(): Option;
  /** mqtt.users_file of the settings. */
  usersFile(options: Common): string | undefined;
}

/** `wattwarden users`: the file of users, edited in place; a running gateway reads it again by itself. */
export function addUsersCommand(program: Command, { config, json, usersFile }: Shared): void {
  const users = program.command('users').description('who may connect to the embedded broker');

  users
    .command('add')
    .description('add a user, or give one a new password: asked for, or the first line of standard input')
    .argument('<name>', 'for a meter, the name on its topics', parseName)
    .addOption(config())
    .addOption(new Option('-r, --role <role>', 'what he may do').choices(ROLES).default('meter'))
    .option('-t, --topic <filter>', 'instead of the topics of the role; may be repeated', collect, [])
    .option('--generate', 'make a password and print it')
    .option('--certificate-only', 'no password; he comes with a certificate of this name')
    .action(async (name: string, options: Adding) => {
      const file = fileOf(options);
      const password = options.certificateOnly === true ? undefined : await newPassword(options);
      const hash = password === undefined ? undefined : await hashPassword(Buffer.from(password));
      write(file, withUser(textOf(file), { name, role: options.role, hash, topics: options.topic }));
      if (options.generate === true) console.log(password);
      else console.log(`${name} may connect as ${options.role}.`);
    });

  users
    .command('remove')
    .description('remove a user; a running gateway ends his connections')
    .argument('<name>')
    .addOption(config())
    .action((name: string, options: Common) => {
      const file = fileOf(options);
      const left = withoutUser(textOf(file), name);
      if (left === undefined) throw new WattwardenError('users.invalid', `${file}: holds no user ${name}`);
      write(file, left);
      console.log(`${name} is removed.`);
    });

  users
    .command('list')
    .description('who is there, and what each may do')
    .addOption(config())
    .addOption(json())
    .action((options: Common) => {
      const file = fileOf(options);
      const rows = [...parseUsers(textOf(file), file).values()].map(({ name, role, password, topics }) => ({
        name,
        role,
        with: typeof password === 'string' ? password : 'password',
        topics: topics ?? [],
      }));
      if (options.json === true) console.log(JSON.stringify(rows));
      else {
        const cells = rows.map((row) => [row.name, row.role, row.with, row.topics.join(' ')]);
        console.log(textTable(['name', 'role', 'with', 'topics of his own'], cells));
      }
    });

  function fileOf(options: Common): string {
    const file = usersFile(options);
    if (file === undefined)
      throw new WattwardenError('config.invalid', 'mqtt.users_file: must be given for this command');
    return file;
  }
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

function parseName(text: string): string {
  if (!isUserName(text)) throw new InvalidArgumentError(USER_NAME_RULE);
  return text;
}

const collect = (filter: string, before: readonly string[]): readonly string[] => [...before, filter];
