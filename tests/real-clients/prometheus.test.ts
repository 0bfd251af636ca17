import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { hasProgram } from '../kit/program.js';

const installed = hasProgram('promtool');
let gateway: LoneGateway;

beforeAll(async () => {
  if (installed) gateway = await openLoneGateway();
});
afterAll(async () => await gateway?.close());

test.skipIf(!installed)('Prometheus finds nothing wrong with /metrics (needs promtool)', async () => {
  const response = await fetch(`${gateway.http}/metrics`);
  const metrics = await response.text();
  expect(metrics).toContain('wattwarden_readings_stored_total 0');
  expect(await check(metrics)).toEqual({ code: 0, output: '' });
});

test.skipIf(!installed)('and would find it (needs promtool)', async () => {
  expect(await check('# TYPE a counter\na 1\n')).not.toEqual({ code: 0, output: '' });
});

function check(metrics: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
    child.stdin.end(metrics);
  });
}
