import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const PARTS = '{agent,cloud-sync,models,config,scripts}';
/** Tests across folders that read sources only and need nothing built. */
const ON_SOURCES = ['tests/{structure,generated,errors,menu,prepare}*.test.ts', 'tests/{structure,run}/**/*.test.ts'];

const shared = {
  pool: 'forks' as const,
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    reporters: ['default', './tests/run/skipped.ts'],
    // Two at least, since most tests wait for a disk or a socket; eight at most, since some start a PostgreSQL each.
    maxWorkers: Math.min(8, Math.max(2, availableParallelism())),
    projects: [
      { test: { ...shared, name: 'parts', include: [`${PARTS}/**/*.test.ts`, ...ON_SOURCES] } },
      {
        test: {
          ...shared,
          name: 'whole',
          include: ['tests/**/*.test.ts'],
          exclude: ON_SOURCES,
          globalSetup: './tests/run/built.ts',
        },
      },
    ],
  },
});
