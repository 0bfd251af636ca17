import { createRequire } from 'node:module';
import { type Logger as PinoLogger, pino } from 'pino';
import type { build } from 'pino-pretty';

const require = createRequire(import.meta.url);
/** Only a terminal needs it; a service should not carry it in the memory of each thread. */
const loadPretty = (): typeof build => require('pino-pretty');

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** `warn`: odd, nothing lost. `error`: something lost, or a person must act. Nothing per reading above `debug`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** Keys that never reach a log line, wherever they stand in the fields. */
const SECRET_KEYS = ['password', 'token', 'secret', 'privateKey', 'connectionString'];

/** Readable on a terminal, one JSON object a line otherwise; written synchronously, so that a dying process says why. */
export function createLogger(level: LogLevel, terminal = process.stdout.isTTY === true): Logger {
  const redact = { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[secret]' };
  const options = { level, base: null, redact, timestamp: pino.stdTimeFunctions.isoTime };
  if (!terminal) return asLogger(pino(options, pino.destination({ fd: 1, sync: true })));
  const stream = loadPretty()({ sync: true, destination: 1, translateTime: 'SYS:HH:MM:ss', ignore: 'thread' });
  return asLogger(pino(options, stream));
}

const asLogger = (log: PinoLogger): Logger => log;

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
