import { z } from 'zod';
import { SLOT_MINUTES, SLOT_WIDTHS_MINUTES } from '../agent/domain/slot.js';
import { feeds } from './feeds.js';
import { host, LOOPBACK, matching, meterId, path, port, secret } from './fields.js';
import { mqtt } from './mqtt.js';
import { source } from './source.js';

/**
 * Every setting, once: its type, default, bounds and one line of documentation. The example file, the reference
 * page, the JSON Schema and the names of environment variables are generated from here (`npm run generate`).
 * A unit stands last in the key: `_s`, `_ms`, `_bytes`, `_days`, `_w`. A rule of our own reads as the end of the
 * sentence "<key> must be …", except one that begins with "must" or "may" itself.
 */

const range = (min: number, max: number) =>
  z
    .strictObject({
      min: z.number().default(min).describe('Smallest value taken.'),
      max: z.number().default(max).describe('Largest value taken.'),
    })
    .refine((value) => value.min < value.max, 'a range whose min lies below its max')
    .prefault({});
const NAME_RULE = '1-40 characters of a-z 0-9 -, beginning with a letter';
const name = matching(/^[a-z][a-z0-9-]{0,39}$/, NAME_RULE);

const loopback = (fallback: string, until: string) => {
  const rule = `a loopback address (${LOOPBACK.join(', ')}), ${until}`;
  return host(fallback)
    .refine((value) => LOOPBACK.includes(value), rule)
    .meta({ rule });
};

const gateway = z.strictObject({
  name: name.default('gateway-1').describe('Name of this gateway; at the centre it is also the name of its role.'),
  data_dir: path.default('data').describe('Directory of the buffer, the models and the local socket.'),
  stop_deadline_s: z
    .number()
    .min(1)
    .max(300)
    .default(10)
    .describe('How long one part may take to stop before it is named and left behind.'),
});

const hour = (most: number) => z.int().min(0).max(most);
const activeHours = z
  .strictObject({
    from: hour(23).default(0).describe('Hour of the day, local time, at which they begin.'),
    to: hour(24).default(24).describe('Hour at which they end; may lie before `from`, for the night.'),
  })
  .refine(({ from, to }) => from !== to, 'a span of hours whose ends differ');

const knownMeter = z.strictObject({
  id: meterId.describe('Name of the meter as it stands on its topic.'),
  kind: z
    .enum(['customer', 'feeder'])
    .default('customer')
    .describe('A feeder meter measures the sum of its customers.'),
  feeder: meterId.optional().describe('The feeder meter upstream of this meter.'),
  rated_power_w: z.number().positive().optional().describe('Subscribed power.'),
  register_max_wh: z.number().positive().optional().describe('Where its register is full and begins again at zero.'),
  interval_s: z
    .number()
    .min(1)
    .max(604_800)
    .optional()
    .describe('How often it sends; learned from what it sends when not set.'),
  active_hours: activeHours.optional().describe('When it is expected to send; as for all meters when not set.'),
});

const meters = z.strictObject({
  register: z
    .enum(['auto', 'refuse'])
    .default('auto')
    .describe('What happens to a reading of a meter that is not registered.'),
  max_registered: z
    .int()
    .min(1)
    .max(20_000)
    .default(20_000)
    .describe('Meters registered at most; beyond it a reading of a new one is refused.'),
  silent_after_s: z
    .number()
    .min(5)
    .max(604_800)
    .default(900)
    .describe('No meter is called silent before it has sent nothing for so long.'),
  silent_after_intervals: z
    .number()
    .min(1)
    .max(1_000)
    .default(4)
    .describe('A meter is called silent when it has missed so many of its intervals.'),
  silent_at_most_s: z
    .number()
    .min(60)
    .max(2_592_000)
    .default(172_800)
    .describe('Whatever its interval, a meter is called silent when it has sent nothing for so long.'),
  active_hours: activeHours.prefault({}).describe('When meters are expected to send; outside of it none is silent.'),
  known: z
    .array(knownMeter)
    .max(20_000)
    .refine((list) => new Set(list.map((meter) => meter.id)).size === list.length, 'a list that names each meter once')
    .default([])
    .describe('Meters that are expected whether or not they have ever sent.'),
});

const validate = z.strictObject({
  require_time: z.boolean().default(false).describe('Refuse a reading that has no time of its own.'),
  bad_clock: z
    .enum(['refuse', 'gateway_time'])
    .default('gateway_time')
    .describe(
      'A meter’s clock that was never set or runs ahead: refuse the reading, or give it the time of its arrival and a flag.',
    ),
  max_age_days: z.number().min(1).max(4_000).default(400).describe('Readings taken longer ago are refused.'),
  max_future_s: z
    .number()
    .min(0)
    .max(86_400)
    .default(300)
    .describe('A meter’s clock that is further ahead is a bad one.'),
  max_step_power_w: z
    .number()
    .min(1_000)
    .max(10_000_000)
    .default(60_000)
    .describe(
      'A register that would need a higher mean power than this has jumped. Feeder meters have the largest power_w instead, and a meter whose rated power is known three times that.',
    ),
  register_tolerance_wh: z
    .number()
    .min(0)
    .max(10_000)
    .default(100)
    .describe('A register that falls by no more than this wavers in its last digit.'),
  power_w: range(-2_000_000, 2_000_000).describe('Possible active power.'),
  import_wh: range(0, 1e13).describe('Possible import register.'),
  export_wh: range(0, 1e13).describe('Possible export register.'),
  voltage_v: range(0, 500).describe('Possible voltage to neutral or between phases of a low-voltage network.'),
  current_a: range(-5_000, 5_000).describe('Possible current.'),
  power_factor: range(-1, 1).describe('Possible power factor; per cent is converted by the feed.'),
  frequency_hz: range(40, 70).describe('Possible mains frequency.'),
});

const clock = z.strictObject({
  trust: z
    .enum(['auto', 'evidence', 'plausible'])
    .default('auto')
    .describe(
      'When the clock of this machine is believed: `auto` waits for evidence where it can be had, `evidence` always does, `plausible` takes a time that can be right.',
    ),
  confirmed_file: path
    .default('/run/systemd/timesync/synchronized')
    .describe('File that the time service touches when it has set the clock; its directory is there while it runs.'),
  meter_votes: z
    .int()
    .min(0)
    .max(1_000)
    .default(5)
    .describe('Meters whose own clocks must agree to tell the time where nobody else does; 0 never asks them.'),
});

const keptRows = z.int().min(1_000).max(1e12).optional().describe('Rows kept at most; the oldest go first.');
const keptBytes = z
  .int()
  .min(1_048_576)
  .max(1e13)
  .optional()
  .describe('Bytes kept at most, reckoned by the usual room of a row; the oldest go first.');
const kept = (days: number) =>
  z.strictObject({
    days: z.number().min(1).max(10_000).default(days).describe('Dropped when older than this.'),
    rows: keptRows,
    bytes: keptBytes,
  });
const bounded = z.strictObject({ rows: keptRows, bytes: keptBytes });

/** Whatever the bound: what the centre does not have stays, as long as there is room. */
const keep = z.strictObject({
  readings: bounded.prefault({}).describe('Readings; their age is `buffer.retention_days`.'),
  slots: kept(800).prefault({}).describe('Five-minute slots, with their scores.'),
  forecasts: kept(60).prefault({}).describe('Forecasts.'),
  anomalies: kept(1_800).prefault({}).describe('Anomalies.'),
  quality: z
    .strictObject({ days: z.number().min(1).max(10_000).default(400).describe('Dropped when older than this.') })
    .prefault({})
    .describe('Counts of what the rules of validation said.'),
});

/** A file that could not be read through is never deleted. */
const keepDamaged = z.strictObject({
  files: z.int().min(1).max(100).default(3).describe('So many of them at most; the oldest go first.'),
  bytes: z
    .int()
    .min(1_048_576)
    .max(1e13)
    .default(2_147_483_648)
    .describe('Bytes of them at most, 2 GiB by default; the newest stays, however large it is.'),
});

const buffer = z.strictObject({
  path: path.optional().describe('The buffer file; `buffer.sqlite` in gateway.data_dir when not set.'),
  retention_days: z
    .number()
    .min(1)
    .max(4_000)
    .default(60)
    .describe('Readings older than this are dropped, once the centre has them.'),
  keep: keep.prefault({}).describe('How much of each table is kept.'),
  keep_damaged: keepDamaged
    .prefault({})
    .describe('Damaged files of the buffer that stay when all of them that can be read is stored again.'),
  max_rejected: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(100_000)
    .describe('Refused payloads kept; the oldest make room.'),
  max_rejected_bytes: z
    .int()
    .min(1_048_576)
    .max(10_737_418_240)
    .default(67_108_864)
    .describe('Bytes of refused payloads kept, 64 MiB by default; the oldest make room.'),
  max_bytes: z
    .int()
    .min(4_194_304)
    .max(1e13)
    .optional()
    .describe(
      'The buffer file grows no further than this, as if the disk ended there; the disk alone bounds it when not set.',
    ),
  reserve_bytes: z
    .int()
    .min(1_048_576)
    .max(1e12)
    .default(134_217_728)
    .describe('With less room than this on its disk the buffer lets go of what is not needed, 128 MiB by default.'),
  ballast_bytes: z
    .int()
    .min(0)
    .max(1e11)
    .default(33_554_432)
    .describe('Size of a file that only takes up room and is deleted first when the disk is full, 32 MiB by default.'),
  bytes_per_day: z
    .int()
    .min(1_048_576)
    .max(1e15)
    .default(5_000_000_000)
    .describe('While a day writes more than this to the disk, commits wait longer for more readings; 5 GB by default.'),
  card_endurance_tb: z
    .number()
    .min(0.01)
    .max(1e6)
    .default(20)
    .describe(
      'Terabytes that the card or disk takes in its life, by its data sheet (TBW); a guess for a card of 32 GB by default.',
    ),
  slot_minutes: z
    .union(SLOT_WIDTHS_MINUTES.map((minutes) => z.literal(minutes)))
    .default(SLOT_MINUTES)
    .describe(
      'Width of the slots that readings are summed to: 5, 15, 30 or 60. A buffer file keeps the width it was made with, and a model serves one width.',
    ),
  slot_grace_s: z
    .number()
    .min(0)
    .max(600)
    .default(60)
    .describe(
      'How long after its end a slot waits for readings on their way, at most; less for a meter that sends often.',
    ),
  maintenance: matching(/^\s*(\S+\s+){4}\S+\s*$/, 'the five fields of a cron expression')
    .default('17 3 * * *')
    .describe('When retention runs, as a cron expression in local time.'),
});

const models = z.strictObject({
  enabled: z.boolean().default(true).describe('Forecast and score on this gateway.'),
  trusted_keys: z
    .array(matching(/^[A-Za-z0-9+/]{43}=$/, 'base64 of the 32 bytes of an Ed25519 public key'))
    .max(8)
    .default([])
    .describe(
      'Public keys whose signature makes a model bundle acceptable; `wattwarden cloud init` prints the first one.',
    ),
  pull_interval_s: z
    .number()
    .min(1)
    .max(86_400)
    .default(300)
    .describe('How often the centre is asked for a newer bundle.'),
  threshold: z.number().min(0.01).max(0.999).default(0.6).describe('Calibrated score from which a slot is an anomaly.'),
});

const fraud = z.strictObject({
  language: z
    .enum(['en', 'fr'])
    .default('en')
    .describe('Language of the sentences that say why something is an anomaly, on the page and at the centre.'),
  contamination: z
    .number()
    .min(0.005)
    .max(0.02)
    .optional()
    .describe(
      'Share of the slots that a score of 0.6 stands for, measured on what the bundle was trained on; when not set, the rate that the bundle declares.',
    ),
});

const tls = z.strictObject({
  mode: z
    .enum(['off', 'verify'])
    .default('verify')
    .describe('`verify` checks the certificate and the name of the centre; `off` only on a loopback address.'),
  ca_file: path.optional().describe('Certificate authority of the centre, PEM; the system’s own when not set.'),
});

const linked = z.object({
  host: z.string(),
  tls: z.object({ mode: z.string() }),
  password: z.string().optional(),
  password_file: z.string().optional(),
});

/** What the two sections that connect to PostgreSQL demand across their keys. */
function guarded<Section extends z.ZodType<z.infer<typeof linked>>>(section: Section, where: string) {
  // Without it zod leaves these rules out as soon as any other key of the section is at fault.
  const when = ({ value }: { value: unknown }) => linked.safeParse(value).success;
  return section
    .refine((value) => value.tls.mode === 'verify' || LOOPBACK.includes(value.host), {
      path: ['tls', 'mode'],
      message: `may be off only while ${where}.host is a loopback address`,
      when,
    })
    .refine((value) => value.password === undefined || value.password_file === undefined, {
      path: ['password_file'],
      message: `may not be set together with ${where}.password`,
      when,
    });
}

const sync = z.strictObject({
  enabled: z.boolean().default(false).describe('Replicate to a centre.'),
  host: host('127.0.0.1').describe('Address of the PostgreSQL server of the centre.'),
  port: port(5432).describe('Its port.'),
  database: z.string().min(1).max(63).default('wattwarden').describe('Its database.'),
  user: z.string().min(1).max(63).optional().describe('Role of this gateway; `gw_` and gateway.name when not set.'),
  password: secret.describe('Password of that role; better given in the environment or by `password_file`.'),
  password_file: path.optional().describe('File that holds the password, mode 0600; instead of `password`.'),
  tls: tls.prefault({}).describe('Encryption of the link.'),
  batch_rows: z.int().min(1).max(50_000).default(5_000).describe('Rows sent in one statement.'),
  interval_s: z.number().min(0.1).max(3_600).default(5).describe('Pause between pushes when nothing is waiting.'),
});

const http = z.strictObject({
  host: loopback('127.0.0.1', 'until people can be authenticated').describe(
    'Address of the page, /healthz and /metrics.',
  ),
  port: port(8088).describe('Its port; 0 takes a free one.'),
});

const log = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severe line that is written.'),
});

const centre = z.strictObject({
  host: host('127.0.0.1').describe('Address of the PostgreSQL server that the centre’s commands administer.'),
  port: port(5432).describe('Its port.'),
  database: z.string().min(1).max(63).default('wattwarden').describe('Its database.'),
  user: z.string().min(1).max(63).default('wattwarden').describe('The role that owns the tables.'),
  password: secret.describe('Password of that role; better given in the environment or by `password_file`.'),
  password_file: path.optional().describe('File that holds the password, mode 0600; instead of `password`.'),
  tls: tls.prefault({}).describe('Encryption of the link.'),
  keys_dir: path.default('keys').describe('Directory of the signing key; its private half never leaves this machine.'),
  training_days: z.number().min(2).max(800).default(60).describe('How many days of slots a retraining looks back.'),
});

/** Grows when a key changes its name or meaning; `migrations.ts` then learns the step. */
export const CONFIG_VERSION = 1;

const sections = z.strictObject({
  version: z
    .literal(CONFIG_VERSION)
    .default(CONFIG_VERSION)
    .describe('Version of the format of this file; every file must state it.'),
  gateway: gateway.prefault({}).describe('This gateway.'),
  mqtt: mqtt.prefault({}).describe('Where meters publish.'),
  feeds: feeds.prefault({}).describe('In which forms readings are taken.'),
  source: source.prefault({}).describe('Another broker that meters publish to.'),
  meters: meters.prefault({}).describe('Which meters are expected.'),
  validate: validate.prefault({}).describe('What a reading must satisfy.'),
  clock: clock.prefault({}).describe('What the time of this gateway rests on.'),
  buffer: buffer.prefault({}).describe('Where readings are kept.'),
  models: models.prefault({}).describe('Forecast and theft detection.'),
  fraud: fraud.prefault({}).describe('How theft is judged.'),
  sync: guarded(sync, 'sync').prefault({}).describe('The link to the centre.'),
  http: http.prefault({}).describe('The page and the metrics.'),
  log: log.prefault({}).describe('The log.'),
  centre: guarded(centre, 'centre').prefault({}).describe('For the commands of the centre only; a gateway ignores it.'),
});

export const settingsSchema = sections.refine(({ mqtt, source }) => mqtt.enabled || source.enabled, {
  path: ['mqtt', 'enabled'],
  message: 'may be false only while source.enabled is true',
});

export type Settings = z.infer<typeof settingsSchema>;
