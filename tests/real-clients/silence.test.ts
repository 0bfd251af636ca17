import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { succeeds } from '../kit/command.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { hasProgram, runProgram } from '../kit/program.js';
import { until } from '../kit/until.js';

const installed = hasProgram('mosquitto_sub');
let gateway: LoneGateway;

beforeAll(async () => {
  if (!installed) return;
  const meters = { silent_after_s: 5, known: [{ id: 'ghost' }] };
  gateway = await openLoneGateway({ models: { enabled: false }, meters });
});
afterAll(async () => await gateway?.close());

const client = (program: string, ...given: readonly string[]) => {
  const [host = '', port = ''] = gateway.mqtt.split(':');
  return runProgram(program, '-h', host, '-p', port, ...given);
};

test.skipIf(!installed)(
  'a silent meter is named on its topic, in the status and in the metrics (needs mosquitto_sub)',
  async () => {
    const heard = await until('the retained list names it', async () => {
      const { output } = await client('mosquitto_sub', '-t', 'wattwarden/+/silent', '-v', '-C', '1', '-W', '3');
      return output.includes('ghost') && output;
    });
    expect(heard).toMatch(/^wattwarden\/gateway-1\/silent \[\{"meter":"ghost","since":"\d{4}-[^"]+Z"\}\]\n$/);
    expect(await succeeds('status', '--config', gateway.config)).toMatch(/1 of 1 meter is silent: ghost \(/);
    const metrics = await (await fetch(`${gateway.http}/metrics`)).text();
    expect(metrics).toMatch(/^wattwarden_meters_silent 1$/m);
  },
);

test.skipIf(!installed)('the quality of what came in is a screen, a document and a page', async () => {
  const say = (payload: string) => client('mosquitto_pub', '-t', 'meters/m1/reading', '-q', '1', '-m', payload);
  await say('{"power_w": 66, "import_wh": 34507476}');
  await say('{"power_w": 66, "import_wh": 0}');
  await say('<b>no JSON</b>');
  const file = join(gateway.dir, 'quality.html');
  expect(await succeeds('readings', '-m', 'm1', '--config', gateway.config)).toMatch(/register_back$/m);
  // The gateway writes its counts once a minute, and when it stops.
  await gateway.stop();
  expect(await succeeds('quality', '--config', gateway.config)).toMatch(
    /^m1 +2 +1 +1 +67 % +not_json 1, register_back 1$/m,
  );
  const report = JSON.parse(await succeeds('quality', '--json', '-m', 'm1', '--config', gateway.config)) as object;
  expect(report).toMatchObject({ accepted: 2, refused: 1, flagged: 1, meters: [{ meter: 'm1' }] });
  await succeeds('quality', '--html', file, '--config', gateway.config);
  const page = await readFile(file, 'utf8');
  expect(page).toContain('import register went from 34507476 Wh to 0 Wh');
  expect(page).not.toContain('<b>no JSON');
});
