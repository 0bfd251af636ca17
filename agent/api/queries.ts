import { z } from 'zod';
import { METER_ID_RULE, type MeterId, parseMeterId } from '../domain/brand.js';

// Query strings are small and every list is bounded: one request must not hold the thread that also pushes.
const MAX_ROWS = 500;
const MAX_METERS = 200;
const MAX_HOURS = 168;
const MAX_DAYS = 400;
const MAX_SPARKLINES = 25;

const meterId = z.string().transform((text, context): MeterId => {
  const id = parseMeterId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: 'custom', message: METER_ID_RULE });
  return z.NEVER;
});
const count = (max: number, fallback: number) => z.coerce.number().int().min(1).max(max).default(fallback);

export const meterParams = z.strictObject({ id: meterId });
export const meterListQuery = z.strictObject({
  q: z.string().trim().max(64).default(''),
  limit: count(MAX_METERS, 100),
});
export const loadQuery = z.strictObject({ hours: count(MAX_HOURS, 24) });
export const daysQuery = z.strictObject({ days: count(MAX_DAYS, 30) });
export const newestQuery = z.strictObject({ meter: meterId.optional(), limit: count(MAX_ROWS, 50) });
export const sparklineQuery = z.strictObject({
  ids: z
    .string()
    .max(65 * MAX_SPARKLINES)
    .transform((text) => text.split(','))
    .pipe(z.array(meterId).min(1).max(MAX_SPARKLINES)),
  hours: count(24, 24),
});

export class BadQuery extends Error {}

/** Throws BadQuery with one line for all that is wrong. */
export function parseQuery<Shape extends z.ZodType>(shape: Shape, given: unknown): z.output<Shape> {
  const parsed = shape.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'query'}: ${issue.message}`);
  throw new BadQuery(faults.join('; '));
}
