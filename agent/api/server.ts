import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import { listenError } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import type { SilenceRules } from '../domain/silence.js';
import { type Asset, loadAssets } from './assets.js';
import { createBacklogView } from './backlog.js';
import { createFleetView } from './fleet.js';
import { sendProblem } from './problems.js';
import { BadQuery } from './queries.js';
import { addOperationRoutes, addReadRoutes } from './routes.js';
import { addSecurity, setSecurityHeaders } from './security.js';
import type { LiveSource, ReadSource } from './source.js';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Name of the gateway, as the page shows it. */
  readonly gateway: string;
  readonly silence: SilenceRules;
  readonly source: ReadSource;
  readonly live: LiveSource;
  readonly metrics: Metrics;
  /** Holds the built page. */
  readonly assetsDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Server {
  /** As a browser takes it. */
  readonly address: string;
  close(): Promise<void>;
}

// A few people and one Prometheus; a browser opens up to six connections.
const MAX_CONNECTIONS = 100;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 8_192;

export async function openServer(options: ServerOptions): Promise<Server> {
  const { host, port, metrics, assetsDir, log } = options;
  const app = fastify({
    logger: false,
    // Pages keep connections open for minutes; none of them may delay the stop of the gateway.
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: 1_024,
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    frameworkErrors: (error, _request, reply) => {
      setSecurityHeaders(reply);
      sendProblem(reply, 'bad_request', error.message);
    },
  });
  app.server.maxConnections = MAX_CONNECTIONS;

  addSecurity(app);
  addProblems(app, log);
  addRequestMetrics(app, metrics);
  addAssets(app, await loadAssets(assetsDir));
  const surroundings = { ...options, fleet: createFleetView(options), backlog: createBacklogView(options) };
  addOperationRoutes(app, surroundings);
  addReadRoutes(app, surroundings);

  try {
    const address = await app.listen({ host, port });
    return { address, close: async () => await app.close() };
  } catch (error) {
    await app.close();
    throw listenError(error, `http://${host}:${port}`);
  }
}

function addProblems(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 'not_found', 'Nothing is served at this path.'));
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof BadQuery || (error.statusCode !== undefined && error.statusCode < 500)) {
      return sendProblem(reply, 'bad_request', error.message);
    }
    // What went wrong inside is for the log; a stranger on the network learns nothing from it.
    log.error({ route: routeOf(request), error: messageOf(error) }, 'request failed');
    return sendProblem(reply, 'internal', 'The gateway could not answer; its log says why.');
  });
}

const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'none';

function addRequestMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = routeOf(request);
    metrics.inc('http_requests_total', 1, { route, status: String(reply.statusCode) });
    metrics.observe('http_request_seconds', reply.elapsedTime / 1_000, { route });
  });
}

function addAssets(app: FastifyInstance, assets: ReadonlyMap<string, Asset>): void {
  for (const [path, { type, etag, body }] of assets) {
    app.get(path, (request, reply) => {
      reply.headers({ etag, 'cache-control': 'no-cache' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type(type).send(body);
    });
  }
}
