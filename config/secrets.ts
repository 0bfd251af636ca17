import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { messageOf, WattwardenError } from '../agent/domain/errors.js';
import { isOpenToOthers } from './file-mode.js';

type SecretHolder<Name extends string> = { readonly [Key in Name | `${Name}_file`]?: string | undefined };

/** No password, token or private key is longer. */
const MAX_SECRET_BYTES = 65_536;

/** systemd and container engines guard these directories themselves, and show the files as readable by a group. */
const GUARDED = ['/run/credentials/', '/run/secrets/'];

/** The secret of a section, given in place or by the file that `<name>_file` names; undefined when neither is set. */
export function readSecret<Name extends string>(section: SecretHolder<Name>, name: Name): string | undefined {
  const given = section[name];
  if (given !== undefined) return given;
  const file = section[`${name}_file`];
  return file === undefined ? undefined : readSecretFile(file);
}

/** The file's text without its last line break. */
export function readSecretFile(file: string, maxBytes = MAX_SECRET_BYTES): string {
  let text: string;
  let mode: number;
  try {
    ({ text, mode } = read(file, maxBytes));
  } catch (error) {
    throw new WattwardenError('secret.unreadable', `${file}: ${messageOf(error)}`, { cause: error });
  }
  if (isOpenToOthers(mode) && !GUARDED.some((directory) => file.startsWith(directory))) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    throw new WattwardenError(
      'secret.unreadable',
      `${file}: others than its owner may open it (mode ${octal}); chmod 600 mends that`,
    );
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new WattwardenError('secret.unreadable', `${file}: is empty`);
  return secret;
}

function read(file: string, maxBytes: number): { text: string; mode: number } {
  const fd = openSync(file, 'r');
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('is not a file');
    if (stat.size > maxBytes) throw new Error(`is larger than ${maxBytes} bytes`);
    return { text: readFileSync(fd, 'utf8'), mode: stat.mode };
  } finally {
    closeSync(fd);
  }
}
