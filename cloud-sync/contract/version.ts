/** Grows when a gateway and a centre of different age would misunderstand each other. */
export const CONTRACT_VERSION = 1;

/** The one schema that a gateway's role can see. */
export const API_SCHEMA = 'wattwarden_api';

/** Everything that a gateway can ask of the centre. */
export const API_FUNCTIONS = [
  'hello',
  'push_reading',
  'push_slot',
  'push_forecast',
  'push_anomaly',
  'latest_release',
  'release_file',
] as const;
export type ApiFunction = (typeof API_FUNCTIONS)[number];

/** Also the bound of sync.batch_rows: one batch is held in memory at both ends. */
export const MAX_BATCH_ROWS = 50_000;

/** A gateway's log changes when its buffer is replaced; more than this is a fault or an attack. */
export const MAX_LOGS_PER_GATEWAY = 1_000;

/** Of one list of accepted ranges, which is rewritten with each batch: some thousand gaps. */
export const MAX_ACCEPTED_BYTES = 65_536;

/** SQLSTATEs of the centre's own functions. What no row is to blame for is `REFUSED_GATEWAY`: it waits for a person. */
export const REFUSED_GATEWAY = 'WW401';
/** A gateway that hears this halves its batch, and at last sets the one row aside. */
export const BAD_BATCH = 'WW400';
