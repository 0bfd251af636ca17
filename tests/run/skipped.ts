import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** What a machine that runs all the tests may still lack; a test says so in its name or as `skip(true, reason)`. */
const ACCEPTED = /TimescaleDB|tfjs-node|MLflow|Docker|Raspberry Pi/;

interface Skipped {
  readonly test: string;
  readonly reason: string | undefined;
}

/** Names what was skipped and why, after the summary; with CI=true a skip for any other reason fails the run. */
export default class SkippedReporter implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    // Whoever asks for some tests by name has skipped the others on purpose.
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#filtered) return;
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]).map(asSkipped);
    if (skipped.length === 0) return;
    console.log(`Skipped: ${skipped.length}`);
    for (const [reason, tests] of byReason(skipped)) console.log(`  ${reason}: ${tests.join('; ')}`);
    const unexplained = skipped.filter(({ reason }) => reason === undefined || !ACCEPTED.test(reason));
    if (process.env['CI'] !== 'true' || unexplained.length === 0) return;
    console.error(
      `In CI only ${ACCEPTED.source.replaceAll('|', ', ')} may be missing; ${unexplained.length} skipped otherwise.`,
    );
    process.exitCode = 1;
  }
}

function asSkipped(test: TestCase): Skipped {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return { test: test.fullName, reason: note ?? /\(((?:needs|no) [^)]+)\)/.exec(test.fullName)?.[1] };
}

function byReason(skipped: readonly Skipped[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { test, reason = 'without a reason' } of skipped) {
    groups.set(reason, [...(groups.get(reason) ?? []), test]);
  }
  return groups;
}
