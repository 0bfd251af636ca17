import { WattwardenError } from '../domain/errors.js';
import { isUserName, ROLES, type RoleName, USER_NAME_RULE } from './access.js';
import { type PasswordHash, parsePasswordHash } from './password-hash.js';
import { isFilter } from './topic-filter.js';

/** One line: `name:role:hash`, or `name:role:hash:topics`; the topics stand for those of the role. */
export interface User {
  readonly name: string;
  readonly role: RoleName;
  /** What stands for the password: none for who comes with a certificate, locked for who may not come at all. */
  readonly password: PasswordHash | 'certificate' | 'locked';
  /** Instead of what the role may publish to; for a reader, instead of what it may read. */
  readonly topics?: readonly string[];
  /** As it stands in the file; a user whose line has changed must show himself again. */
  readonly line: string;
}

export type Users = ReadonlyMap<string, User>;

/** 20,000 users take 3 MB. */
export const MAX_USERS_FILE_BYTES = 16_777_216;

export const USERS_FILE_HEAD = '# name:role:password[:topics]  (wattwarden users add|remove|list)\n';
const WITHOUT_PASSWORD = { certificate: '-', locked: '!' } as const;

/** Every fault at once; a file with one fault is not used at all. */
export function parseUsers(text: string, file: string): Users {
  const users = new Map<string, User>();
  const faults: string[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const user = parseLine(line);
    const fault =
      typeof user === 'string' ? user : users.has(user.name) ? `${user.name} stands there twice` : undefined;
    if (fault !== undefined) faults.push(`${file}:${at + 1}: ${fault}`);
    else if (typeof user !== 'string') users.set(user.name, user);
  }
  if (faults.length > 0) throw new WattwardenError('users.invalid', faults.slice(0, 20).join('\n'));
  return users;
}

/** The user, or what is wrong with the line. */
function parseLine(line: string): User | string {
  const [name = '', role = '', hash = '', ...rest] = line.split(':');
  if (!isUserName(name)) return `a name must be ${USER_NAME_RULE}`;
  if (!isRole(role)) return `the role of ${name} must be one of ${ROLES.join(', ')}`;
  const password = parsePassword(hash);
  if (password === undefined)
    return `the password of ${name} must be a scrypt hash, - (certificate only) or ! (locked)`;
  if (rest.length === 0) return { name, role, password, line };
  const topics = rest.join(':').split(',');
  if (!topics.every(isFilter)) return `the topics of ${name} must be MQTT topic filters, separated by commas`;
  return { name, role, password, topics, line };
}

export const isRole = (text: string): text is RoleName => ROLES.some((role) => role === text);

function parsePassword(text: string): User['password'] | undefined {
  if (text === WITHOUT_PASSWORD.certificate) return 'certificate';
  return text === WITHOUT_PASSWORD.locked ? 'locked' : parsePasswordHash(text);
}

interface NewUser {
  readonly name: string;
  readonly role: RoleName;
  /** A hash, or undefined for who comes with a certificate. */
  readonly hash: string | undefined;
  readonly topics: readonly string[];
}

/** The text of the file with the user in it, in his old place if he has one; comments stay where they are. */
export function withUser(text: string, { name, role, hash, topics }: NewUser): string {
  const fields = [name, role, hash ?? WITHOUT_PASSWORD.certificate, ...(topics.length > 0 ? [topics.join(',')] : [])];
  const line = fields.join(':');
  const lines = linesOf(text);
  const at = lines.findIndex((old) => isLineOf(name, old));
  return `${(at === -1 ? [...lines, line] : lines.with(at, line)).join('\n')}\n`;
}

/** The text without the user; undefined when he is not in it. */
export function withoutUser(text: string, name: string): string | undefined {
  const lines = linesOf(text);
  const left = lines.filter((line) => !isLineOf(name, line));
  return left.length === lines.length ? undefined : `${left.join('\n')}\n`;
}

const linesOf = (text: string): string[] => text.replace(/\n+$/, '').split('\n');
const isLineOf = (name: string, line: string): boolean => line.trimStart().startsWith(`${name}:`);
