import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendProblem } from './problems.js';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/**
 * A page elsewhere can make its own name resolve to 127.0.0.1 and read the answers as its own; its name is then in the
 * Host header. Any port is allowed, because whoever comes through `ssh -L` uses a port of their choice.
 */
const ALLOWED_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

export function setSecurityHeaders(reply: FastifyReply): void {
  reply.headers(HEADERS);
}

export function addSecurity(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    setSecurityHeaders(reply);
    if (!ALLOWED_HOST.test(request.headers.host ?? '')) {
      return sendProblem(reply, 'host_not_allowed', 'Use localhost, 127.0.0.1 or [::1] as the name of this gateway.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply.header('allow', 'GET, HEAD');
      return sendProblem(reply, 'method_not_allowed', 'This API only reads: use GET.');
    }
    return undefined;
  });
}
