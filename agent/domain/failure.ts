import { codeOf, ERRORS, type ErrorCode, messageOf } from './errors.js';

const isErrorCode = (code: string | undefined): code is ErrorCode => code !== undefined && Object.hasOwn(ERRORS, code);

/**
 * A failure in the words of the table, for a person at a terminal. By code and not by class: an error that crossed
 * from another thread has kept its code only.
 */
export function describeFailure(error: unknown): string {
  const code = codeOf(error);
  if (!isErrorCode(code)) return `Error: ${messageOf(error)}`;
  const { hint, action } = ERRORS[code];
  return `${hint} (${code})\n  ${messageOf(error).replaceAll('\n', '\n  ')}\n${action}`;
}
