import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import { listenError, type Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';

/** What may be asked of a running gateway. The socket is a file of mode 0600: whoever may open it owns the gateway. */
export const CONTROL_COMMANDS = ['view', 'sync-now', 'trust-clock', 'import'] as const;
export type ControlCommand = (typeof CONTROL_COMMANDS)[number];

type Reply = { readonly ok: unknown } | { readonly error: string };

/** A request is a word, and what it is about: two hundred readings of an import have some 25 KB. */
const MAX_LINE = 2 ** 16;
const MAX_CLIENTS = 8;
const ANSWER_WITHIN_MS = 5_000;

export type Handlers = Readonly<Record<ControlCommand, (about: string) => Promise<unknown>>>;

/** The local socket through which the command line changes a running gateway: one command a line, one JSON line back. */
export function createControl(path: string, handlers: Handlers, log: Logger): Part {
  const clients = new Set<Socket>();
  let server: Server | undefined;

  async function answer(line: string): Promise<Reply> {
    const [word = ''] = line.split(' ', 1);
    const command = CONTROL_COMMANDS.find((candidate) => candidate === word);
    if (command === undefined) return { error: `unknown command; known are ${CONTROL_COMMANDS.join(', ')}` };
    try {
      return { ok: (await handlers[command](line.slice(word.length + 1))) ?? null };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  function serve(socket: Socket): void {
    clients.add(socket);
    socket.once('close', () => clients.delete(socket));
    socket.on('error', (error) => log.debug({}, `control: ${error.message}`));
    let request = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      request += chunk;
      const end = request.indexOf('\n');
      if (end < 0 && request.length <= MAX_LINE) return;
      socket.removeAllListeners('data');
      void answer(request.slice(0, end)).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
    });
  }

  return {
    name: 'control',
    async start() {
      // The buffer's lock says that no other gateway runs here: what stands is what a killed one left.
      await rm(path, { force: true });
      const listening = createServer(serve);
      listening.maxConnections = MAX_CLIENTS;
      server = listening;
      await new Promise<void>((resolve, reject) => {
        listening.once('error', (error) => reject(listenError(error, path)));
        listening.listen(path, resolve);
      });
      await chmod(path, 0o600);
    },
    async stop() {
      const listening = server;
      if (listening === undefined) return;
      const closed = new Promise<void>((resolve) => listening.close(() => resolve()));
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

/** Asks a running gateway; `gateway.not_running` when none answers. */
export async function askGateway(path: string, command: ControlCommand, about = ''): Promise<unknown> {
  const reply = JSON.parse(await exchange(path, about === '' ? command : `${command} ${about}`)) as Reply;
  if ('error' in reply) throw new Error(reply.error);
  return reply.ok;
}

function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(new WattwardenError('gateway.not_running', `${path}: ${why}`, { cause }));
    };
    let reply = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => fail(`no answer in ${ANSWER_WITHIN_MS} ms`));
    socket.on('error', (error) => fail(codeOf(error) ?? error.message, error));
    socket.on('data', (chunk: string) => {
      reply += chunk;
    });
    socket.on('end', () => (reply.endsWith('\n') ? resolve(reply) : fail('hung up')));
    socket.write(`${request}\n`);
  });
}
