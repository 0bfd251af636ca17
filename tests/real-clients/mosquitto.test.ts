import { afterAll, beforeAll, expect, test } from 'vitest';
import { succeeds } from '../kit/command.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { hasProgram, runProgram } from '../kit/program.js';
import { until } from '../kit/until.js';

const installed = hasProgram('mosquitto_pub');
let gateway: LoneGateway;

beforeAll(async () => {
  if (installed) gateway = await openLoneGateway({ models: { enabled: false } });
});
afterAll(async () => await gateway?.close());

const pub = (...given: readonly string[]) => {
  const [host = '', port = ''] = gateway.mqtt.split(':');
  return runProgram('mosquitto_pub', '-h', host, '-p', port, ...given);
};

interface Row {
  readonly meter: string;
  readonly powerDw: number | null;
}
const readings = async (meter: string) =>
  JSON.parse(await succeeds('readings', '--json', '-m', meter, '--config', gateway.config)) as Row[];

test.skipIf(!installed).each(['0', '1', '2'])('mosquitto_pub with QoS %s (needs mosquitto_pub)', async (qos) => {
  const meter = `mosquitto-${qos}`;
  const { code, output } = await pub('-t', `meters/${meter}/reading`, '-q', qos, '-m', '{"power_w": 51.5}');
  expect({ code, output }).toEqual({ code: 0, output: '' });
  const rows = await until('it is stored', async () => {
    const found = await readings(meter);
    return found.length > 0 && found;
  });
  expect(rows).toMatchObject([{ meter, powerDw: 515 }]);
});

test.skipIf(!installed)(
  'what is no reading is acknowledged, kept aside and explained (needs mosquitto_pub)',
  async () => {
    expect((await pub('-t', 'meters/odd/reading', '-q', '1', '-m', 'unknown')).code).toBe(0);
    const kept = JSON.parse(await succeeds('rejected', '--json', '-r', 'not_json', '--config', gateway.config)) as {
      rows: object[];
    };
    expect(kept.rows).toMatchObject([{ topic: 'meters/odd/reading', payload: 'unknown', reason: 'not_json' }]);
    expect(await succeeds('rejected', '--config', gateway.config)).toMatch(/not_json.*meters\/odd\/reading/);
  },
);
