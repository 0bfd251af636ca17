import { z } from 'zod';
import { matching, path, secret } from './fields.js';

/** The `source` section: another broker that meters publish to. */

const URL_RULE = 'mqtt://, mqtts://, ws:// or wss:// and a host, without user and password';
const TLS_URL = /^(mqtts|wss):/;

const section = z.strictObject({
  enabled: z.boolean().default(false).describe('Take readings from another MQTT broker, as its client.'),
  url: matching(/^(mqtts?|wss?):\/\/(\[[0-9A-Fa-f:.%]+\]|[^\s@/:?#[\]]+)(:\d{1,5})?(\/[^\s@#]*)?$/, URL_RULE)
    .default('mqtt://127.0.0.1:1883')
    .describe('Address of that broker.'),
  protocol: z.enum(['3.1.1', '5']).default('3.1.1').describe('Version of MQTT that it is spoken to in.'),
  client_id: matching(/^[\x21-\x7e]{1,128}$/, '1-128 printable characters without spaces')
    .optional()
    .describe('Name of the session at that broker; `wattwarden-` and gateway.name when not set. No two may share it.'),
  user: z.string().min(1).max(256).optional().describe('User at that broker.'),
  password: secret.describe('Password of that user; better given in the environment or by `password_file`.'),
  password_file: path.optional().describe('File that holds the password, mode 0600; instead of `password`.'),
  ca_file: path
    .optional()
    .describe(
      'Certificate authority of that broker, PEM; the system’s own when not set. Only with mqtts:// and wss://.',
    ),
  cert_file: path.optional().describe('Certificate of this gateway, PEM, where that broker demands one.'),
  key_file: path.optional().describe('Private key of that certificate, PEM, mode 0600.'),
  share_group: matching(/^[^+#/\s]{1,64}$/, '1-64 characters without +, #, / and spaces')
    .optional()
    .describe('Share the readings with other gateways of this group; each reading goes to one of them.'),
  session_expiry_s: z
    .int()
    .min(60)
    .max(4_294_967_294)
    .default(604_800)
    .describe('How long that broker keeps readings for a gateway that is away (MQTT 5; else the broker decides).'),
  keepalive_s: z.int().min(5).max(3_600).default(30).describe('Silence after which the link is tested.'),
  max_retry_s: z.number().min(1).max(3_600).default(60).describe('Longest pause between two attempts to connect.'),
  publish_status: z
    .boolean()
    .default(true)
    .describe('Publish `online` and `offline`, retained, on `wattwarden/<gateway.name>/status` at that broker.'),
});

const linked = section
  .pick({ url: true, user: true, password: true, password_file: true, ca_file: true, cert_file: true, key_file: true })
  .partial()
  .loose();
type Linked = z.infer<typeof linked>;

/** What `source` demands across its keys. */
const RULES: readonly { readonly key: string; readonly rule: string; holds(given: Linked): boolean }[] = [
  {
    key: 'password_file',
    rule: 'may not be set together with source.password',
    holds: ({ password, password_file }) => password === undefined || password_file === undefined,
  },
  {
    key: 'user',
    rule: 'must be set where a password is',
    holds: ({ user, password, password_file }) => user !== undefined || (password ?? password_file) === undefined,
  },
  {
    key: 'key_file',
    rule: 'must be set together with source.cert_file',
    holds: ({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined),
  },
  {
    key: 'url',
    rule: 'must begin with mqtts:// or wss:// while source.ca_file or source.cert_file is set',
    holds: ({ url, ca_file, cert_file }) =>
      (ca_file ?? cert_file) === undefined || url === undefined || TLS_URL.test(url),
  },
];

const when = ({ value }: { value: unknown }) => linked.safeParse(value).success;
export const source = RULES.reduce<typeof section>(
  (checked, { key, rule, holds }) => checked.refine((value) => holds(value), { path: [key], message: rule, when }),
  section,
);
