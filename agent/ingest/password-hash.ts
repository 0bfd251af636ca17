import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`: the parameters stand beside the hash, so that later ones may be harder. */
export interface PasswordHash {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 16 MB and some 40 ms of one core of a desktop, four times that on a Raspberry Pi. */
const COST = { logN: 14, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** A line of the file must not be able to ask for gigabytes. */
const MAX_MEMORY_BYTES = 134_217_728;
/** scrypt itself takes any length. */
export const MAX_PASSWORD_BYTES = 1_024;

const LINE = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88}={0,2})\$([A-Za-z0-9+/]{43}=)$/;

export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, logN, r, p, salt = '', hash = ''] = LINE.exec(text) ?? [];
  if (logN === undefined) return undefined;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  const sane = cost.logN >= 10 && cost.r >= 1 && cost.p >= 1 && cost.p <= 16 && memoryOf(cost) <= MAX_MEMORY_BYTES;
  return sane ? { ...cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') } : undefined;
}

export async function hashPassword(password: Uint8Array): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { ...COST, salt });
  const { logN, r, p } = COST;
  return `$scrypt$ln=${logN},r=${r},p=${p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** On a thread of libuv's pool; costs what the parameters say, whatever the answer. */
export const fitsPassword = async (password: Uint8Array, stored: PasswordHash): Promise<boolean> =>
  timingSafeEqual(await derive(password, stored), stored.hash);

/** For a user that does not exist: as much work as for one that does. */
export const NOBODY: PasswordHash = { ...COST, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };

type Cost = Pick<PasswordHash, 'logN' | 'r' | 'p'>;
const memoryOf = ({ logN, r }: Cost): number => 128 * 2 ** logN * r;

function derive(password: Uint8Array, { salt, ...cost }: Cost & { salt: Buffer }): Promise<Buffer> {
  const options = { N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: MAX_MEMORY_BYTES * 2 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
