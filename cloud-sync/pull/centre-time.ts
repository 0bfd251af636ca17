import { z } from 'zod';
import type { Clock } from '../../agent/domain/clock.js';
import { WattwardenError } from '../../agent/domain/errors.js';
import type { Told } from '../../agent/domain/gateway-clock.js';
import type { ApiFunction } from '../contract/version.js';

interface TimeCentre {
  call(name: ApiFunction, values: readonly unknown[], signal?: AbortSignal): Promise<readonly unknown[]>;
}

/** An answer that was on its way for longer tells nothing. */
const MAX_ROUND_TRIP_MS = 10_000;
const answer = z.object({ server_time_ms: z.coerce.number().int().positive() });

/** The centre's time against the kernel's counter; undefined when the link was too slow to tell. */
export async function askTime(
  centre: TimeCentre,
  clock: Pick<Clock, 'monotonicMs'>,
  signal: AbortSignal,
): Promise<Told | undefined> {
  // The first call may have to connect.
  await centre.call('hello', [], signal);
  const sentMs = clock.monotonicMs();
  const [row] = await centre.call('hello', [], signal);
  const roundTripMs = clock.monotonicMs() - sentMs;
  const parsed = answer.safeParse(row);
  if (!parsed.success) throw new WattwardenError('centre.incompatible', `hello: ${z.prettifyError(parsed.error)}`);
  if (roundTripMs > MAX_ROUND_TRIP_MS) return undefined;
  return { baseMs: parsed.data.server_time_ms - sentMs - roundTripMs / 2, errorMs: roundTripMs / 2 };
}
