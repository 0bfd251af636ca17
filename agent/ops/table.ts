/** Columns as wide as their widest cell; numbers to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumber = (cell: string): boolean => /^-?[\d,.]+( [A-Za-z]+)?$/.test(cell);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber(cell) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

/** `3 s`, `12 min`, `5 h`, `9 d`: exact enough to see whether something is wrong. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export const count = (value: number): string => value.toLocaleString('en');

export const timeText = (atMs: number): string => new Date(atMs).toISOString().replace('T', ' ').replace('Z', '');

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

export function size(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1_000 ** unit).toLocaleString('en', { maximumFractionDigits: unit < 2 ? 0 : 1 })} ${UNITS[unit]}`;
}

export function days(n: number): string {
  if (n < 2) return `${Math.round(n * 24)} hours`;
  return n < 730 ? `${Math.round(n)} days` : `${count(Math.round(n / 365))} years`;
}
