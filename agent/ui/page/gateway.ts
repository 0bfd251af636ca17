import type { AnomalyList, Days, Load, MeterList, Overview, Problem, ReadingList, Sparklines } from '../../api/wire.js';

/** The gateway answered, and said why it cannot. */
export class Refusal extends Error {}

const DEADLINE_MS = 8_000;

async function get<Body>(path: string): Promise<Body> {
  const response = await fetch(path, { signal: AbortSignal.timeout(DEADLINE_MS), cache: 'no-store' });
  const body: unknown = await response.json();
  if (!response.ok) throw new Refusal((body as Problem).message);
  // The page and the gateway are of one build, so the answer is what the type says.
  return body as Body;
}

const query = (values: Readonly<Record<string, string | number>>): string =>
  new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)])).toString();

export const gateway = {
  overview: async () => await get<Overview>('api/v1/overview'),
  meters: async (q: string, limit: number) => await get<MeterList>(`api/v1/meters?${query({ q, limit })}`),
  load: async (meter: string) => await get<Load>(`api/v1/meters/${encodeURIComponent(meter)}/load?hours=24`),
  days: async (meter: string, days: number) =>
    await get<Days>(`api/v1/meters/${encodeURIComponent(meter)}/days?${query({ days })}`),
  readings: async (limit: number) => await get<ReadingList>(`api/v1/readings?${query({ limit })}`),
  anomalies: async (limit: number) => await get<AnomalyList>(`api/v1/anomalies?${query({ limit })}`),
  sparklines: async (ids: readonly string[]) =>
    await get<Sparklines>(`api/v1/sparklines?${query({ ids: ids.join(',') })}`),
};
