import { codeOf, type ErrorCode, messageOf, WattwardenError } from '../../agent/domain/errors.js';

/**
 * What a code of PostgreSQL (SQLSTATE, the longest beginning counts) or of Node means to us. Never the words of a
 * message: servers speak the language of their administrator.
 */
const BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  '08': 'centre.unreachable',
  '57P': 'centre.unreachable', // shutting down, or not yet up, or this session was ended for its idleness
  '25P03': 'centre.unreachable', // ended for its idleness in a transaction
  '25P04': 'centre.unreachable', // ended for the length of its transaction
  '28': 'centre.refused',
  '42501': 'centre.refused',
  WW401: 'centre.refused',
  '0A': 'centre.incompatible',
  '3D': 'centre.incompatible',
  '3F': 'centre.incompatible',
  '42': 'centre.incompatible',
  // What a row says, or what we say of a batch. Nothing else: rows are set aside for it.
  '22': 'centre.rejected_batch',
  '23': 'centre.rejected_batch',
  WW400: 'centre.rejected_batch',
};

/** A transaction that is not ours, or a server that became read-only: another session may fare better. */
export const isSpoiltSession = (sqlState: string | undefined): boolean => sqlState?.startsWith('25') ?? false;

const BY_NODE_CODE: Readonly<Record<string, ErrorCode>> = {
  CERT_HAS_EXPIRED: 'centre.untrusted',
  CERT_NOT_YET_VALID: 'centre.untrusted',
  CERT_UNTRUSTED: 'centre.untrusted',
  CERT_SIGNATURE_FAILURE: 'centre.untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'centre.untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'centre.untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'centre.untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'centre.untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'centre.untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'centre.untrusted',
};

/** `sqlState` when the server itself answered; everything else happened on the way to it. */
export function centreError(error: unknown, sqlState: string | undefined): WattwardenError {
  if (error instanceof WattwardenError) return error;
  const code = sqlState === undefined ? onTheWay(error) : answered(sqlState);
  const shown = sqlState ?? codeOf(error);
  const detail = shown === undefined ? messageOf(error) : `${messageOf(error)} (${shown})`;
  return new WattwardenError(code, detail, { cause: error });
}

const onTheWay = (error: unknown): ErrorCode => BY_NODE_CODE[codeOf(error) ?? ''] ?? 'centre.unreachable';

function answered(sqlState: string): ErrorCode {
  for (let length = sqlState.length; length >= 2; length -= 1) {
    const code = BY_SQLSTATE[sqlState.slice(0, length)];
    if (code !== undefined) return code;
  }
  // Out of time, memory, disk or locks, or in a state that somebody will mend: the batch is good, and comes again.
  return 'centre.busy';
}
