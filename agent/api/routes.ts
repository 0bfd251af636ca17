import type { FastifyInstance, FastifyReply } from 'fastify';
import type { MeterId } from '../domain/brand.js';
import type { Metrics } from '../domain/metrics.js';
import { readDays } from './days.js';
import { selectMeters } from './fleet.js';
import { readLoad, readSparklines } from './load.js';
import { METRICS_CONTENT_TYPE, metricsText } from './metrics-text.js';
import { readHealth, readOverview, type Surroundings } from './overview.js';
import { sendProblem } from './problems.js';
import {
  daysQuery,
  loadQuery,
  meterListQuery,
  meterParams,
  newestQuery,
  parseQuery,
  sparklineQuery,
} from './queries.js';
import { anomalyRow, readingRow } from './rows.js';
import type { AnomalyList, Days, Load, MeterList, ReadingList, Sparklines } from './wire.js';

/** What machines ask: is it well, and its figures. */
export function addOperationRoutes(app: FastifyInstance, given: Surroundings & { readonly metrics: Metrics }): void {
  app.get('/healthz', async (_request, reply) => {
    const health = await readHealth(given);
    return reply.code(health.status === 'failing' ? 503 : 200).send(health);
  });

  app.get('/metrics', async (_request, reply) => reply.type(METRICS_CONTENT_TYPE).send(await metricsText(given)));
}

/** What the page shows. Everything here is read from the buffer; only the overview asks the other threads. */
export function addReadRoutes(app: FastifyInstance, given: Surroundings): void {
  const { source, clock, fleet } = given;
  const known = (id: MeterId) => fleet.read().rows.find((row) => row.id === id);

  app.get('/api/v1/overview', async () => await readOverview(given));

  app.get('/api/v1/meters', (request): MeterList => {
    const query = parseQuery(meterListQuery, request.query);
    return selectMeters(fleet.read(), query);
  });

  app.get('/api/v1/meters/:id/load', (request, reply) => {
    const { id } = parseQuery(meterParams, request.params);
    const { hours } = parseQuery(loadQuery, request.query);
    const meter = known(id);
    if (meter === undefined) return unknownMeter(reply, id);
    const load: Load = { meter, ...readLoad(source, id, { nowMs: clock.now(), hours }) };
    return load;
  });

  app.get('/api/v1/meters/:id/days', (request, reply) => {
    const { id } = parseQuery(meterParams, request.params);
    const { days } = parseQuery(daysQuery, request.query);
    if (known(id) === undefined) return unknownMeter(reply, id);
    const answer: Days = readDays(source, id, { nowMs: clock.now(), days });
    return answer;
  });

  app.get('/api/v1/sparklines', (request): Sparklines => {
    const { ids, hours } = parseQuery(sparklineQuery, request.query);
    return readSparklines(source, ids, { nowMs: clock.now(), hours });
  });

  app.get('/api/v1/readings', (request): ReadingList => {
    const readings = source.readings(newest(parseQuery(newestQuery, request.query)));
    return { readings: readings.map(readingRow) };
  });

  app.get('/api/v1/anomalies', (request): AnomalyList => {
    const anomalies = source.anomalies(newest(parseQuery(newestQuery, request.query)));
    return { anomalies: anomalies.map(anomalyRow) };
  });
}

const unknownMeter = (reply: FastifyReply, id: MeterId) =>
  sendProblem(reply, 'unknown_meter', `No meter is called ${id}.`);

function newest({ meter, limit }: { readonly meter?: MeterId | undefined; readonly limit: number }) {
  return meter === undefined ? { limit } : { meter, limit };
}
