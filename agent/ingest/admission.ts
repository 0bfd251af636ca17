import type { MqttRefusal } from '../domain/refusal.js';
import { createRights, isUserName, LOCAL_RIGHTS, type Rights, type RoleName, type RoleTopics } from './access.js';
import type { Attempt, Credentials } from './credentials.js';
import type { Origin } from './origin.js';
import type { User, Users } from './users-file.js';

/** Who a client is, and what it may therefore do. */
export interface Identity {
  /** Null for a program of this machine without a name. */
  readonly user: string | null;
  readonly rights: Rights;
  /** His line in the users file; undefined for who is not in it. */
  readonly line: string | undefined;
}

export interface AdmissionRules {
  readonly anonymous: boolean;
  readonly roles: Readonly<Record<RoleName, RoleTopics>>;
}

type Refusal = Extract<MqttRefusal, 'no_credentials' | 'bad_credentials' | 'busy'>;
export type Admitted = Identity | { readonly refused: Refusal };

export interface Request {
  readonly origin: Origin;
  readonly name: string | undefined;
  readonly password: Uint8Array | undefined;
  isWanted: Attempt['isWanted'];
}

const LOCAL: Identity = { user: null, rights: LOCAL_RIGHTS, line: undefined };

/** From what a client shows to who it is. `users` is undefined where no file is configured. */
export function createAdmission({ anonymous, roles }: AdmissionRules, credentials: Credentials) {
  function identityOf(name: string, user: User | undefined): Identity {
    const role = user?.role ?? 'meter';
    return { user: name, rights: createRights(name, topicsOf(roles[role], user)), line: user?.line };
  }

  function byCertificate(certified: string, name: string | undefined, users: Users | undefined): Admitted {
    const user = users?.get(certified);
    const pretends = name !== undefined && name !== certified;
    if (pretends || !isUserName(certified) || user?.password === 'locked') return { refused: 'bad_credentials' };
    return identityOf(certified, user);
  }

  return async ({ origin, name, password, isWanted }: Request, users: Users | undefined): Promise<Admitted> => {
    if (origin.certificateUser !== undefined) return byCertificate(origin.certificateUser, name, users);
    // A name that nobody can check is no name.
    if (name === undefined || users === undefined) {
      return anonymous && origin.local ? LOCAL : { refused: 'no_credentials' };
    }
    const verdict = await credentials.check({ name, password: password ?? new Uint8Array(), isWanted }, users);
    return 'user' in verdict ? identityOf(name, verdict.user) : verdict;
  };
}

/** A user's own topics stand for what his role is there for. */
function topicsOf(role: RoleTopics, user: User | undefined): RoleTopics {
  if (user?.topics === undefined) return role;
  return user.role === 'reader' ? { ...role, subscribe: user.topics } : { ...role, publish: user.topics };
}
