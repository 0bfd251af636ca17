import { codeOf } from '../domain/errors.js';
import type { MqttRefusal } from '../domain/refusal.js';
import { Refused } from './refusals.js';

/** aedes tells its reasons in words only; pinned with its version. */
const WORDS: Readonly<Record<string, MqttRefusal | undefined>> = {
  'connect did not arrive in time': 'connect_timeout',
  'keep alive timeout': 'silent',
  'drain timeout': 'slow_subscriber',
};
const NO_FAULT = ['connection closed', 'Premature close'];
const CODES: Readonly<Record<string, MqttRefusal | undefined>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'packet_too_large',
};

/** What to count for the error that ended a connection; undefined for what is counted elsewhere, and for a lost link. */
export function refusalOf(error: Error): MqttRefusal | undefined {
  if (error instanceof Refused || NO_FAULT.includes(error.message)) return undefined;
  const code = codeOf(error);
  if (code !== undefined) return code.startsWith('WS_ERR_') ? (CODES[code] ?? 'protocol') : undefined;
  return WORDS[error.message] ?? 'protocol';
}
