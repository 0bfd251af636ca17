import { InputFileError, readRows } from './table-file.js';

/** Forests see 32 bits of a number. */
const MOST = '3.4e38';

/** Rows of features with a label each. */
export interface LabelledRows {
  readonly features: number;
  /** Row by row. */
  readonly rows: Float32Array;
  /** 1 = anomaly. */
  readonly labels: Uint8Array;
}

/** A CSV whose last column, `label`, is 0 or 1 and whose other columns are numbers; `.gz` is unpacked. */
export async function loadLabelledRows(path: string): Promise<LabelledRows> {
  const { header, rows: lines } = await readRows(path);
  const features = header.length - 1;
  if (features < 1 || header.at(-1) !== 'label') throw new InputFileError(`${path}: the last column is not “label”`);
  const rows = new Float32Array(lines.length * features);
  const labels = new Uint8Array(lines.length);
  for (const [index, { line, fields }] of lines.entries()) {
    for (let feature = 0; feature < features; feature++) {
      const field = fields[feature] ?? '';
      const value = Number(field);
      if (field === '' || !Number.isFinite(value))
        throw new InputFileError(`${path}, line ${line}: “${field}” is not a number`);
      if (!Number.isFinite(Math.fround(value)))
        throw new InputFileError(`${path}, line ${line}: ${field} is more than a forest takes, ${MOST}`);
      rows[index * features + feature] = value;
    }
    const label = fields[features];
    if (label !== '0' && label !== '1')
      throw new InputFileError(`${path}, line ${line}: the label “${label}” is not 0 or 1`);
    labels[index] = Number(label);
  }
  const anomalies = labels.reduce((sum, label) => sum + label, 0);
  if (anomalies === 0 || anomalies === labels.length)
    throw new InputFileError(`${path}: ${anomalies} of ${labels.length} rows are anomalies; both kinds are needed`);
  return { features, rows, labels };
}
