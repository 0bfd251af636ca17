import type { AuthenticateError, Client } from 'aedes';
import type { Clock } from '../domain/clock.js';
import type { MqttRefusal } from '../domain/refusal.js';
import type { Rights } from './access.js';
import { type AdmissionRules, createAdmission, type Identity } from './admission.js';
import { type CredentialLimits, createCredentials } from './credentials.js';
import type { Origin } from './origin.js';
import { type Refusals, Refused } from './refusals.js';
import type { SessionStore } from './session-store.js';
import type { Users } from './users-file.js';

interface Surroundings {
  readonly options: AdmissionRules;
  readonly limits: CredentialLimits & { readonly maxClientIdBytes: number };
  readonly sessions: SessionStore;
  readonly refusals: Refusals;
  readonly clock: Clock;
}

interface Shown {
  readonly name: string | undefined;
  readonly password: Buffer | undefined;
  readonly users: Users | undefined;
}

/** Return codes of a CONNACK (MQTT 3.1.1, 3.2.2.3). */
const CONNACK = { client_id: 2, busy: 3, bad_credentials: 4, no_credentials: 5 } as const;

/** Who each client is, from its connection to its end. */
export function createClientBook({ options, limits, sessions, refusals, clock }: Surroundings) {
  const credentials = createCredentials(limits, () => clock.monotonicMs());
  const admit = createAdmission(options, credentials);
  const origins = new WeakMap<Client, Origin>();
  const identities = new WeakMap<Client, Identity>();
  /** Those that aedes has registered. */
  const present = new Set<Client>();

  /** For the log: the address, and the user once he is known. What a stranger calls himself would make a new party each time. */
  const nameOf = (client: Client): string =>
    [origins.get(client)?.address ?? 'unknown', identities.get(client)?.user ?? ''].join(' ').trim();

  function refuse(reason: keyof typeof CONNACK & MqttRefusal, client: Client, detail?: string): Refused {
    refusals.add(reason, nameOf(client), detail);
    return new Refused(reason, CONNACK[reason]);
  }

  /** Another user's session holds what was meant for him. */
  function isForeign(client: Client, { user }: Identity): boolean {
    const owner = sessions.ownerOf(client.id);
    return owner !== undefined && owner !== user;
  }

  return {
    nameOf,
    rightsOf: (client: Client | null): Rights | undefined =>
      client === null ? undefined : identities.get(client)?.rights,
    expect(client: Client, origin: Origin): void {
      origins.set(client, origin);
    },
    preConnect(_client: Client, packet: { readonly clientId: string }, answer: (error: null, fine: boolean) => void) {
      // Without an id there is nothing to come back to (MQTT 3.1.1, 3.1.3.1); aedes would invent one.
      if (packet.clientId === '' && 'clean' in packet && packet.clean !== true) {
        Object.assign(packet, { clientId: NO_ID });
      }
      answer(null, true);
    },
    /** Resolves for who is let in, and fails with what the CONNACK is to say. */
    async authenticate(client: Client, { name, password, users }: Shown): Promise<void> {
      const origin = origins.get(client);
      const tooLong = Buffer.byteLength(client.id) > limits.maxClientIdBytes;
      if (origin === undefined || tooLong || client.id === NO_ID) throw answerOf(refuse('client_id', client));
      const isWanted = (): boolean => !client.closed && !client.conn.destroyed;
      const admitted = await admit({ origin, name, password, isWanted }, users);
      if ('refused' in admitted) throw answerOf(refuse(admitted.refused, client, name));
      if (isForeign(client, admitted)) throw answerOf(refuse('client_id', client, 'the id belongs to another user'));
      identities.set(client, admitted);
    },
    /** Called when aedes registers it; false when another user has taken its id meanwhile. */
    enter(client: Client): boolean {
      const identity = identities.get(client);
      if (identity === undefined || isForeign(client, identity)) return false;
      present.add(client);
      sessions.enter(client.id, identity.user);
      return true;
    },
    leave(client: Client): void {
      // Of two with the same id the later one stays.
      if (!present.delete(client)) return;
      if (client.clean) sessions.drop(client.id);
      else sessions.leave(client.id);
    },
    /** After the users file has changed: whose line is another one shows himself again. */
    recheck(users: Users): void {
      credentials.forget();
      for (const client of present) {
        const identity = identities.get(client);
        if (identity?.user != null && users.get(identity.user)?.line !== identity.line) client.close();
      }
    },
  };
}

/** No client can send it: a string in MQTT holds no NUL. */
const NO_ID = '\0';

const answerOf = (refused: Refused): AuthenticateError => refused as AuthenticateError;
