declare const brand: unique symbol;

/** A value that was checked once, at the border, and is trusted from there on. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** The name by which a meter is known outside: on its topic, at the centre, on a page. */
export type MeterId = Brand<string, 'MeterId'>;

/** Milliseconds since 1970 UTC. */
export type EpochMs = Brand<number, 'EpochMs'>;

/** The random name of one log file; a sequence number means nothing without it. */
export type LogId = Brand<string, 'LogId'>;

/** Position of a row in one log. */
export type Seq = Brand<number, 'Seq'>;

/** Position of a change to something that may change again: a slot, a forecast, an anomaly. */
export type ChangeSeq = Brand<number, 'ChangeSeq'>;

const METER_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

export const METER_ID_RULE = '1-64 characters of A-Z a-z 0-9 . _ : -, beginning with a letter or digit';

export function parseMeterId(text: string): MeterId | undefined {
  return METER_ID.test(text) ? (text as MeterId) : undefined;
}

export const epochMs = (value: number): EpochMs => value as EpochMs;
export const logId = (value: string): LogId => value as LogId;
export const seq = (value: number): Seq => value as Seq;
export const changeSeq = (value: number): ChangeSeq => value as ChangeSeq;
