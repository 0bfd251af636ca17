import { prepare } from '../../scripts/prepare/all.mjs';

/** Before the tests that start whole processes: those run from dist/, and an old dist/ would pass or fail for nothing. */
export default async function ensureBuilt(): Promise<void> {
  await prepare();
}
