import { messageOf } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import { watchFiles } from './file-watch.js';
import { MAX_USERS_FILE_BYTES, parseUsers, type Users } from './users-file.js';

/** Reads a file that nobody but its owner may open; throws otherwise. */
export type ReadSecret = (file: string, maxBytes?: number) => string;

export interface UserBook {
  readonly users: Users;
  close(): void;
}

interface Surroundings {
  readonly readSecret: ReadSecret;
  readonly log: Logger;
  onReload(fine: boolean): void;
}

/** The users of the file, as it is now; a broken new file leaves those in force that were. */
export function openUserBook(file: string, { readSecret, log, onReload }: Surroundings): UserBook {
  const load = (): Users => parseUsers(readSecret(file, MAX_USERS_FILE_BYTES), file);
  let users = load();
  const watch = watchFiles([file], () => {
    try {
      users = load();
      log.info({ users: users.size }, 'users read again');
      onReload(true);
    } catch (error) {
      log.warn({ file, detail: messageOf(error) }, 'the new users file is not used; those before stay in force');
      onReload(false);
    }
  });
  return {
    get users() {
      return users;
    },
    close: watch.close,
  };
}
