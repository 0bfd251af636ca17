import type { Clock } from '../domain/clock.js';
import type { Logger } from '../domain/log.js';
import type { MqttRefusal } from '../domain/refusal.js';

export interface Refusals {
  /** Counts it, and writes one line at most for the same party in a minute. */
  add(reason: MqttRefusal, party: string, detail?: string): void;
}

const ONE_LINE_PER_MS = 60_000;
/** Parties remembered; a flood from more addresses than this writes a line again for some of them. */
const MAX_PARTIES = 1_000;
/** Lines of one minute for all parties, so that a flood from many addresses does not fill the card either. */
const MAX_LINES = 60;

export function createRefusals(count: (reason: MqttRefusal) => void, clock: Clock, log: Logger): Refusals {
  let writtenInMinute = new Set<string>();
  let minuteBeganMs = clock.monotonicMs();
  let lines = 0;
  return {
    add(reason, party, detail) {
      count(reason);
      const nowMs = clock.monotonicMs();
      if (nowMs - minuteBeganMs >= ONE_LINE_PER_MS) {
        writtenInMinute = new Set();
        minuteBeganMs = nowMs;
        lines = 0;
      }
      if (lines >= MAX_LINES || writtenInMinute.has(party)) return;
      if (writtenInMinute.size >= MAX_PARTIES) writtenInMinute.clear();
      writtenInMinute.add(party);
      lines += 1;
      // What a client has chosen freely may hold anything; in JSON it cannot pretend to be another line.
      log.warn(
        { reason, party: party.slice(0, 200), ...(detail === undefined ? {} : { detail: detail.slice(0, 200) }) },
        'turned away',
      );
    },
  };
}

/** Closes a connection for a reason that is counted where it was found. */
export class Refused extends Error {
  /** Of the CONNACK (MQTT 3.1.1, 3.2.2.3). */
  readonly returnCode: number | undefined;

  constructor(message: string, returnCode?: number) {
    super(message);
    this.name = 'Refused';
    this.returnCode = returnCode;
  }
}
