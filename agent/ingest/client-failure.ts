import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';

/** What Node and OpenSSL call a handshake that failed. */
const HANDSHAKE = /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$)/;

/** Why a connection ended, in the words of the table of errors. */
export function failureOf(cause: unknown, { url, connected }: { readonly url: string; readonly connected: boolean }) {
  if (cause instanceof WattwardenError) return cause;
  const detail = cause === undefined ? url : `${url}: ${messageOf(cause) || codeOf(cause)}`;
  const asCause = cause === undefined ? {} : { cause };
  if (isReasonCode(cause)) return new WattwardenError('source.refused', detail, asCause);
  if (HANDSHAKE.test(codeOf(cause) ?? '')) return new WattwardenError('source.untrusted', detail, asCause);
  return new WattwardenError(connected ? 'source.lost' : 'source.unreachable', detail, asCause);
}

/** The numbers of CONNACK, SUBACK and DISCONNECT, as the library puts them on its errors. */
const isReasonCode = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'number';
