import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What compiling better-sqlite3 takes; of each, one of the names is enough. */
const TOOLCHAIN = [['python3'], ['make'], ['g++', 'c++', 'clang++']];

/** What a person can do after npm has failed with these words, in the search path that it had. */
export function adviceOn(output, path = '') {
  const missing = TOOLCHAIN.filter((names) => !names.some((name) => isOn(path, name))).map(([name]) => name);
  if (/node-gyp|prebuild-install/.test(output)) {
    return missing.length > 0
      ? `better-sqlite3 has to be compiled here, and this is missing: ${missing.join(', ')}.\n` +
          'On Debian, Ubuntu and Raspberry Pi OS: sudo apt-get install python3 make g++'
      : 'better-sqlite3 could neither be downloaded nor compiled; the compiler’s words are above.';
  }
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET/.test(output)) {
    return 'The npm registry cannot be reached: check the network, or `npm config get registry`.';
  }
  if (/EACCES|EPERM/.test(output)) return 'This user may not write here: check who owns node_modules.';
  if (/ENOSPC/.test(output)) return 'The disk is full.';
  return 'Its words are above.';
}

function isOn(path, name) {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false; // not in this directory
    }
  });
}
