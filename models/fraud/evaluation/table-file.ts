import { messageOf } from '../../../agent/domain/errors.js';
import { linesOf } from '../../text-lines.js';

/** A file that breaks a rule ends the command with these words. */
export class InputFileError extends Error {}

/** Ten years of five minutes. */
const MAX_ROWS = 1_100_000;

export interface TableFile {
  readonly header: readonly string[];
  readonly rows: readonly { readonly line: number; readonly fields: readonly string[] }[];
}

/** A CSV without quotes, every line as long as the first; `.gz` is unpacked. */
export async function readRows(path: string): Promise<TableFile> {
  try {
    return await parseRows(path);
  } catch (error) {
    if (error instanceof InputFileError) throw error;
    // What is wrong with an archive or a disk does not say of which file.
    throw new InputFileError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function parseRows(path: string): Promise<TableFile> {
  let header: readonly string[] | undefined;
  const rows: { line: number; fields: readonly string[] }[] = [];
  let line = 0;
  for await (const text of linesOf(path)) {
    line += 1;
    if (text.trim() === '') continue;
    const fields = text.split(',').map((field) => field.trim());
    if (header === undefined) {
      header = fields;
      continue;
    }
    if (fields.length !== header.length)
      throw new InputFileError(`${path}, line ${line}: ${fields.length} columns, not ${header.length}`);
    if (rows.length >= MAX_ROWS) throw new InputFileError(`${path}: more than ${MAX_ROWS} rows`);
    rows.push({ line, fields });
  }
  if (header === undefined) throw new InputFileError(`${path} is empty`);
  if (rows.length === 0) throw new InputFileError(`${path}: no row after the header`);
  return { header, rows };
}
