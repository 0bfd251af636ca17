import { z } from 'zod';
import { METER_ID_RULE, parseMeterId } from '../agent/domain/brand.js';

/** Kinds of values that several sections share. A rule reads as the end of the sentence "<key> must be …". */

export const port = (fallback: number) => z.int().min(0).max(65_535).default(fallback);

export const matching = (pattern: RegExp, rule: string) => z.string().regex(pattern, rule).meta({ rule });

const HOST_RULE = 'a host name or an address, without scheme, user or port';
/** DNS allows 253 characters; IPv6 addresses may name a zone. */
export const host = (fallback: string) => matching(/^[A-Za-z0-9._:%-]{1,253}$/, HOST_RULE).default(fallback);

/** A relative one is resolved against the directory of the configuration file. */
export const path = z.string().min(1).max(4_096).meta({ path: true });

export const meterId = z
  .string()
  .refine((text) => parseMeterId(text) !== undefined, METER_ID_RULE)
  .meta({ rule: METER_ID_RULE });

export const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** Read from the file that `<key>_file` names, or from the environment; never printed. */
export const secret = z.string().min(1).max(1_024).optional().meta({ secret: true });
