import type { FastifyReply } from 'fastify';
import type { Problem } from './wire.js';

/** Every way in which a request fails, with its HTTP status. */
export const PROBLEMS = {
  bad_request: 400,
  not_found: 404,
  unknown_meter: 404,
  method_not_allowed: 405,
  host_not_allowed: 421,
  internal: 500,
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export function sendProblem(reply: FastifyReply, code: ProblemCode, message: string): FastifyReply {
  const problem: Problem = { code, message };
  return reply.code(PROBLEMS[code]).send(problem);
}
