import { z } from 'zod';
import { host, LOOPBACK, matching, path, port } from './fields.js';

/** The `mqtt` section: where meters publish. */

const PATTERN_RULE = 'an MQTT topic filter, in which %u stands for the name of the user';
const pattern = matching(/^(?!$)(?:[^#+\0/]+|\+|)(?:\/(?:[^#+\0/]+|\+|))*(?:\/#)?$|^#$/, PATTERN_RULE);
const patterns = (fallback: readonly string[]) =>
  z
    .array(pattern.max(1_024))
    .max(64)
    .default([...fallback]);

const STATUS = 'wattwarden/+/status';

const role = (publish: readonly string[], subscribe: readonly string[]) =>
  z.strictObject({
    publish: patterns(publish).describe('Topics that it may publish to; %u is the name of the user.'),
    subscribe: patterns(subscribe).describe('Topics that it may read; %u is the name of the user.'),
  });

const roles = z.strictObject({
  meter: role(['meters/%u/#'], ['meters/%u/#', STATUS]).prefault({}).describe('A meter: its own topics only.'),
  gateway: role(['meters/+/reading'], [STATUS])
    .prefault({})
    .describe('A program that publishes for many meters; the topics of all enabled feeds besides.'),
  reader: role([], ['#']).prefault({}).describe('A program that listens.'),
});

const tls = z.strictObject({
  enabled: z.boolean().default(false).describe('Listen with TLS.'),
  host: host('127.0.0.1').describe('Address of the listener.'),
  port: port(8883).describe('Its port; 0 takes a free one.'),
  cert_file: path.optional().describe('Certificate of this gateway with its chain, PEM; read again when it changes.'),
  key_file: path.optional().describe('Its private key, PEM, mode 0600; read again when it changes.'),
  ca_file: path
    .optional()
    .describe('Authorities of the clients’ certificates, PEM, any number in one file; read again when it changes.'),
  client_certificates: z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe('Whether clients show a certificate; its common name is then the name of the user.'),
});

const websocket = z.strictObject({
  enabled: z.boolean().default(false).describe('Listen for MQTT over WebSocket.'),
  host: host('127.0.0.1').describe('Address of the listener.'),
  port: port(9001).describe('Its port; 0 takes a free one.'),
  tls: z.boolean().default(false).describe('Encrypt it, with the certificate of `mqtt.tls`.'),
  allowed_origins: z
    .array(z.string().min(1).max(256))
    .max(64)
    .default([])
    .describe('Origins of the pages in browsers that may connect, as https://host; programs send none.'),
});

const whole = (min: number, max: number, fallback: number) => z.int().min(min).max(max).default(fallback);
const seconds = (min: number, max: number, fallback: number) => z.number().min(min).max(max).default(fallback);

const limits = z.strictObject({
  max_packet_bytes: whole(1_024, 8_388_608, 262_144).describe(
    'Largest packet; a longer one closes the connection before it is gathered in memory.',
  ),
  max_topic_bytes: whole(16, 65_535, 256).describe('Longest topic or filter.'),
  max_topic_levels: whole(2, 100, 16).describe('Levels of a topic at most; each costs work for every message.'),
  max_client_id_bytes: whole(23, 65_535, 128).describe('Longest client id; the ids of all sessions stay in memory.'),
  max_connections_per_address: whole(1, 50_000, 1_000).describe(
    'Connections of one address at once, so that one host cannot take all of mqtt.max_connections.',
  ),
  connections_per_second: whole(1, 100_000, 500).describe(
    'New connections in the long run; ten seconds’ worth may come at once, as after a power cut.',
  ),
  connections_per_second_per_address: whole(1, 100_000, 100).describe('The same for one address.'),
  connect_timeout_s: seconds(1, 300, 10).describe('Time for the CONNECT to arrive.'),
  packet_timeout_s: seconds(1, 3_600, 30).describe('Time for a packet to be complete once it has begun.'),
  max_keepalive_s: seconds(10, 65_535, 3_600).describe(
    'A client that asks for a longer keep-alive, or none, is held to this one, so that dead connections end.',
  ),
  max_inflight: whole(1, 65_535, 1_000).describe('QoS 2 packets of one client that wait for their PUBREL.'),
  max_outgoing_bytes: whole(16_384, 1_073_741_824, 1_048_576).describe(
    'Bytes that may wait for a subscriber that does not read; beyond them its connection is closed.',
  ),
  drain_timeout_s: seconds(1, 3_600, 30).describe('How long a subscriber may read nothing while bytes wait for it.'),
  max_subscriptions: whole(1, 10_000, 100).describe('Subscriptions of one client.'),
  max_retained: whole(0, 1_000_000, 10_000).describe('Retained messages; each new subscription looks through them.'),
  max_retained_bytes: whole(0, 1_073_741_824, 16_777_216).describe('Memory of all retained messages.'),
  max_sessions: whole(0, 100_000, 1_000).describe(
    'Sessions kept of clients that are not connected; the one longest gone makes room.',
  ),
  session_expiry_s: seconds(60, 31_536_000, 86_400).describe('How long the session of an absent client is kept.'),
  max_queued_messages: whole(1, 1_000_000, 1_000).describe('Messages kept for one session.'),
  max_queued_bytes: whole(1_024, 1_073_741_824, 16_777_216).describe('Memory of the messages kept for all sessions.'),
  password_checks: whole(1, 4, 2).describe(
    'Passwords checked at once; each takes a thread and 16 MB for tens of milliseconds, and Node has four threads.',
  ),
  max_waiting_passwords: whole(1, 100_000, 2_000).describe('Clients that may wait for their password to be checked.'),
});

const section = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Run the embedded broker; false when all meters publish to the broker of `source`.'),
  tcp: z.boolean().default(true).describe('Listen without encryption on host and port.'),
  host: host('127.0.0.1').describe('Address of the listener without encryption.'),
  port: port(1883).describe('Its port; 0 takes a free one.'),
  tls: tls.prefault({}).describe('The listener with TLS.'),
  websocket: websocket.prefault({}).describe('The listener for MQTT over WebSocket.'),
  users_file: path
    .optional()
    .describe('Users and their hashed passwords, mode 0600; `wattwarden users` writes it. Read again when it changes.'),
  anonymous: z
    .boolean()
    .optional()
    .describe(
      'Let programs of this machine in without a name, with every right; when not set, only while neither users_file nor client certificates are configured.',
    ),
  allow_passwords_readable_on_the_network: z
    .boolean()
    .default(false)
    .describe('Take passwords without encryption from beyond this machine: whoever listens there can read them.'),
  roles: roles.prefault({}).describe('What each role may do; a user has one of them.'),
  max_payload_bytes: whole(256, 1_048_576, 65_536).describe(
    'Largest payload taken for a reading; longer ones are kept aside, cut to this size.',
  ),
  max_connections: whole(1, 50_000, 2_000).describe('Connections accepted at once.'),
  max_pending: whole(100, 1_000_000, 2_000).describe(
    'Packets that wait for one commit at most; more make the one thread that takes readings in stand still for longer.',
  ),
  commit_window_ms: whole(0, 1_000, 280).describe(
    'How long a commit may wait for more readings, also for those of `source`: the longer, the less is written to the card for each. Where they are rare, and where waiting only keeps the senders from going on, it does not wait. 0 never waits.',
  ),
  limits: limits.prefault({}).describe('What keeps one client from harming the others.'),
});

/** What the rules across keys look at; they are asked only where these have their types. */
const linked = z.object({
  tcp: z.boolean(),
  host: z.string(),
  users_file: z.string().optional(),
  anonymous: z.boolean().optional(),
  allow_passwords_readable_on_the_network: z.boolean(),
  tls: tls.partial().extend({ enabled: z.boolean(), host: z.string(), client_certificates: z.string() }),
  websocket: z.object({ enabled: z.boolean(), host: z.string(), tls: z.boolean() }),
});
type Linked = z.infer<typeof linked>;

interface Rule {
  readonly path: readonly string[];
  readonly message: string;
  broken(value: Linked): boolean;
}

const isFar = (address: string): boolean => !LOOPBACK.includes(address);
const hasCertificates = (value: Linked): boolean => value.tls.client_certificates !== 'off';
const isEncrypted = (value: Linked): boolean => value.tls.enabled || (value.websocket.enabled && value.websocket.tls);
const NEEDS_USERS = `may be beyond loopback (${LOOPBACK.join(', ')}) only with mqtt.users_file`;
const NEEDS_CONSENT =
  'may be beyond loopback without TLS only with mqtt.allow_passwords_readable_on_the_network; better use mqtt.tls';

const RULES: readonly Rule[] = [
  {
    path: ['host'],
    message: NEEDS_USERS,
    broken: (value) => value.tcp && isFar(value.host) && value.users_file === undefined,
  },
  {
    path: ['host'],
    message: NEEDS_CONSENT,
    broken: (value) => value.tcp && isFar(value.host) && !value.allow_passwords_readable_on_the_network,
  },
  {
    path: ['websocket', 'host'],
    message: `${NEEDS_USERS} or, with mqtt.websocket.tls, with mqtt.tls.client_certificates`,
    broken: (value) =>
      value.websocket.enabled &&
      isFar(value.websocket.host) &&
      value.users_file === undefined &&
      !(value.websocket.tls && hasCertificates(value)),
  },
  {
    path: ['websocket', 'host'],
    message: NEEDS_CONSENT.replace('mqtt.tls', 'mqtt.websocket.tls'),
    broken: (value) =>
      value.websocket.enabled &&
      isFar(value.websocket.host) &&
      !value.websocket.tls &&
      !value.allow_passwords_readable_on_the_network,
  },
  {
    path: ['tls', 'host'],
    message: `${NEEDS_USERS} or mqtt.tls.client_certificates`,
    broken: (value) =>
      value.tls.enabled && isFar(value.tls.host) && value.users_file === undefined && !hasCertificates(value),
  },
  ...(['cert_file', 'key_file'] as const).map((name) => ({
    path: ['tls', name],
    message: 'must be given where a listener uses TLS',
    broken: (value: Linked) => isEncrypted(value) && value.tls[name] === undefined,
  })),
  {
    path: ['tls', 'ca_file'],
    message: 'must be given where clients show certificates',
    broken: (value) => isEncrypted(value) && hasCertificates(value) && value.tls.ca_file === undefined,
  },
];

export const mqtt = RULES.reduce<typeof section>(
  (checked, { path: at, message, broken }) =>
    checked.refine((value) => !broken(value), {
      path: [...at],
      message,
      // Without it zod leaves the rule out as soon as any other key of the section is at fault.
      when: ({ value }) => linked.safeParse(value).success,
    }),
  section,
);
