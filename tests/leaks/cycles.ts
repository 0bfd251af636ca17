import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { silentLogger } from '../../agent/domain/log.js';
import { createMachineTime } from '../../agent/domain/machine-time.js';
import { createGateway } from '../../agent/gateway.js';
import { loadSettings } from '../../config/load.js';

/**
 * A program of its own, run by leaks.test.ts: starts and stops a gateway in this process again and again, uses it each
 * time, and prints what is open at the end beside what was open after the first round.
 */

const [configFile = '', roundsText = '0'] = process.argv.slice(2);
const settings = loadSettings({ file: configFile, env: {} });

async function round(number: number): Promise<void> {
  const gateway = createGateway(settings, {
    machine: createMachineTime(),
    random: Math.random,
    log: { ...silentLogger, error: (fields, message) => console.error(JSON.stringify(fields), message) },
    terminal: false,
  });
  await gateway.start();
  const { mqtt, http } = gateway.addresses();
  const client = await connectAsync(`mqtt://${mqtt}`);
  await client.publishAsync('meters/m1/reading', JSON.stringify({ power_w: number }), { qos: 1 });
  const health = await fetch(`${http}/healthz`);
  await health.arrayBuffer();
  const { stragglers, failures } = await gateway.stop();
  await client.endAsync(true);
  if (stragglers.length + failures.length > 0) throw new Error(JSON.stringify({ stragglers, failures }));
}

/** What is open, by kind: sockets and pipes have numbers in their names. */
function openFiles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    const name = target(fd);
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function target(fd: string): string | undefined {
  try {
    return readlinkSync(join('/proc/self/fd', fd)).replace(/\d{3,}/, 'N');
  } catch {
    return undefined; // the one that listed the directory
  }
}

const observe = () => {
  const threads = readdirSync('/proc/self/task').length;
  return { files: openFiles(), resources: process.getActiveResourcesInfo().sort(), threads };
};

await round(0);
const first = observe();
for (let number = 1; number < Number(roundsText); number++) await round(number);
const last = observe();
console.log(JSON.stringify({ first, last }));
