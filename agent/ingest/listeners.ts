import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { codeOf } from '../domain/errors.js';
import { listenError } from '../domain/lifecycle.js';
import type { MqttRefusal } from '../domain/refusal.js';
import type { Certificates } from './certificates.js';
import { isLoopback, type Origin } from './origin.js';

export interface ListenerOptions {
  readonly kind: 'tcp' | 'tls' | 'websocket';
  readonly host: string;
  readonly port: number;
  /** Encrypts, with this certificate. */
  readonly certificates: Certificates | undefined;
  readonly clientCertificates: 'off' | 'optional' | 'required';
  readonly allowedOrigins: readonly string[];
  readonly maxPacketBytes: number;
  /** Time for the handshakes before MQTT. */
  readonly handshakeMs: number;
}

export interface ListenerEvents {
  /** Of a raw socket, before any handshake; false turns it away. */
  onSocket(socket: Socket): boolean;
  onConnection(stream: Duplex, origin: Origin): void;
  refuse(reason: MqttRefusal, address: string, detail?: string): void;
}

export interface Listener {
  readonly kind: ListenerOptions['kind'];
  readonly address: string;
  close(): Promise<void>;
}

export async function openListener(options: ListenerOptions, events: ListenerEvents): Promise<Listener> {
  const server =
    options.kind === 'websocket' ? webSocketServer(options, events, await import('ws')) : mqttServer(options, events);
  await listen(server, options);
  const bound = server.address() as AddressInfo;
  return {
    kind: options.kind,
    address: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function mqttServer(options: ListenerOptions, events: ListenerEvents): Server {
  const { certificates } = options;
  if (certificates === undefined) {
    return createTcp({ noDelay: true }, (socket) => {
      if (events.onSocket(socket)) events.onConnection(socket, originOf(socket, options));
    });
  }
  const server = createTls(tlsOptions(certificates, options));
  certificates.onChange((fresh) => server.setSecureContext(fresh));
  guardRawSockets(server, events);
  server.on('secureConnection', (socket) => {
    const origin = trusted(socket, options, events);
    if (origin !== undefined) events.onConnection(socket, origin);
  });
  return server;
}

const tlsOptions = (certificates: Certificates, { clientCertificates, handshakeMs }: ListenerOptions) => ({
  ...certificates.current,
  requestCert: clientCertificates !== 'off',
  // Decided in `trusted`: Node would end the connection without a word to anybody.
  rejectUnauthorized: false,
  handshakeTimeout: handshakeMs,
});

/** TLS and HTTP have begun with the socket by now; what is turned away is destroyed all the same. */
function guardRawSockets(server: Server, events: ListenerEvents): void {
  server.on('connection', (socket: Socket) => {
    events.onSocket(socket);
  });
  server.on('tlsClientError', (error: Error, socket: Socket) => {
    const reason = codeOf(error) === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'connect_timeout' : 'protocol';
    // A connection that was cut, or turned away by us, says nothing about the client.
    if (codeOf(error) !== 'ECONNRESET') events.refuse(reason, addressOf(socket), error.message);
    socket.destroy();
  });
}

/** Undefined, and the connection closed, when it shows a certificate that nobody here has signed. */
function trusted(socket: TLSSocket, options: ListenerOptions, events: ListenerEvents): Origin | undefined {
  const origin = originOf(socket, options);
  if (options.clientCertificates === 'off') return origin;
  const certificate = socket.getPeerCertificate();
  const shown = Object.keys(certificate).length > 0;
  if (!shown && options.clientCertificates === 'optional') return origin;
  const name = nameIn(certificate);
  if (socket.authorized && name !== undefined) return { ...origin, certificateUser: name };
  const why = shown ? (socket.authorizationError ?? 'the certificate has no name') : 'no certificate was shown';
  events.refuse('bad_credentials', origin.address, String(why));
  socket.destroy();
  return undefined;
}

/** Its common name; where it has none, its first DNS or URI alternative name. */
function nameIn({ subject, subjectaltname }: PeerCertificate): string | undefined {
  const common: unknown = subject?.CN;
  if (typeof common === 'string' && common !== '') return common;
  return /^(?:DNS|URI):([^,"]+)/.exec(subjectaltname ?? '')?.[1];
}

/** Names that MQTT over WebSocket goes by (MQTT 3.1.1, 6.0). */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/** The library is loaded by gateways that have such a listener, and by no others. */
type WebSocketLibrary = Pick<typeof import('ws'), 'createWebSocketStream' | 'WebSocketServer'>;

function webSocketServer(
  options: ListenerOptions,
  events: ListenerEvents,
  { createWebSocketStream, WebSocketServer }: WebSocketLibrary,
): Server {
  const { certificates, maxPacketBytes, handshakeMs } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    // A frame may hold several packets, but a browser or library sends them one by one.
    maxPayload: maxPacketBytes + 16,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  const limits = {
    headersTimeout: handshakeMs,
    requestTimeout: handshakeMs,
    connectionsCheckingInterval: handshakeMs,
    maxHeaderSize: 8_192,
  };
  const server =
    certificates === undefined ? createHttp(limits) : createHttps({ ...limits, ...tlsOptions(certificates, options) });
  if (certificates !== undefined) certificates.onChange((fresh) => (server as TlsServer).setSecureContext(fresh));
  guardRawSockets(server, events);
  server.on('request', (_request, response) => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const address = addressOf(socket);
    const page = request.headers.origin;
    if (page !== undefined && !options.allowedOrigins.includes(page)) {
      events.refuse('origin', address, page);
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    const origin =
      certificates === undefined ? originOf(socket, options) : trusted(socket as TLSSocket, options, events);
    if (origin === undefined) return;
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      events.onConnection(createWebSocketStream(webSocket), origin);
    });
  });
  return server;
}

type TlsServer = ReturnType<typeof createTls>;

const addressOf = (socket: Socket): string => socket.remoteAddress ?? 'unknown';

const originOf = (socket: Socket, { host }: ListenerOptions): Origin => {
  const address = addressOf(socket);
  const local = isLoopback(address) && (host === 'localhost' || isLoopback(host));
  return { address, local, certificateUser: undefined };
};

function listen(server: Server, { kind, host, port }: ListenerOptions): Promise<void> {
  const key = kind === 'tcp' ? 'mqtt' : `mqtt.${kind}`;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, `${key}.host:${key}.port ${host}:${port}`)));
    server.listen({ host, port }, () => resolve());
  });
}
