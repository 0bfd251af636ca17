import { openForWriting } from '../../../agent/buffer/buffer-file.js';

interface Options {
  readonly path: string;
  readonly rows: number;
  readonly rowsPerCommit: number;
}

/** Rows per second of prepared insertions into the table of readings: a file of our own schema, and nothing around it. */
export function bareSqliteRate({ path, rows, rowsPerCommit }: Options): number {
  const db = openForWriting(path);
  try {
    const insert = db.prepare(
      `insert into reading (meter, taken_at_ms, time_source, received_at_ms, boot, monotonic_ms, power_dw, import_dwh,
         voltage_cv, flags) values (?, ?, 0, ?, 1, ?, ?, ?, ?, 0)`,
    );
    const commit = db.transaction((first: number) => {
      for (let row = first; row < first + rowsPerCommit; row += 1) {
        const ms = BEGAN_MS + row;
        insert.run(row % 1_000, ms, ms, row, 5_000 + (row % 900), 1_000_000 + row, 22_800 + (row % 50));
      }
    });
    const beganMs = performance.now();
    for (let row = 0; row < rows; row += rowsPerCommit) commit.immediate(row);
    return (rows * 1_000) / (performance.now() - beganMs);
  } finally {
    db.close();
  }
}

const BEGAN_MS = Date.UTC(2026, 0, 1);
