import { connectAsync } from 'mqtt';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SLOT_MS } from '../../agent/domain/slot.js';
import { createFleet } from '../../scripts/simulator/fleet.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { hasProgram } from '../kit/program.js';
import { until } from '../kit/until.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];
const installed = hasProgram(CHROMIUM);

let gateway: LoneGateway;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  if (!installed) return;
  gateway = await openLoneGateway({ buffer: { slot_grace_s: 0 } });
  const client = await connectAsync(`mqtt://${gateway.mqtt}`);
  const lastSlot = Math.floor(Date.now() / SLOT_MS) - 1;
  const slots = Array.from({ length: 320 }, (_, index) => lastSlot - 319 + index);
  for (const meter of createFleet({ customers: 2, feeders: 1, seed: 3, fromMs: Date.now() - 320 * SLOT_MS })) {
    const readings = slots.map((slot) => meter.at(slot * SLOT_MS + SLOT_MS / 2));
    await client.publishAsync(`meters/${meter.id}/reading`, JSON.stringify(readings), { qos: 1 });
  }
  await client.publishAsync('meters/<b>/reading', '{"power_w":1}', { qos: 1 });
  await client.endAsync();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  page = await browser.newPage();
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

const text = (selector: string) => page.locator(selector).innerText();

test.skipIf(!installed)(
  'the page shows meters, their load with its forecast, and what was refused (needs Chromium)',
  async () => {
    await page.goto(gateway.http);
    await until('the verdict is there', async () => /well/i.test(await text('#verdict')));
    await until('the meters are there', async () => (await page.locator('#meter-rows tr').count()) === 3);
    expect(await text('#tiles')).toMatch(/960/);
    await page.locator('#meter-rows tr', { hasText: 'meter-001' }).click();
    await until('the load of the meter is drawn', async () => (await text('#load-title')).includes('meter-001'));
    await until(
      'a forecast is drawn',
      async () => {
        await page.reload();
        await page.locator('#meter-rows tr', { hasText: 'meter-001' }).click();
        const days = await page.locator('#days rect').count();
        return days >= 1 && (await page.locator('#chart svg path').count()) >= 3;
      },
      { everyMs: 1_000 },
    );
    expect(await text('#reading-rows')).toContain('feeder-1');
    expect(complaints).toEqual([]);
  },
);

test.skipIf(!installed)('on a phone nothing is wider than the screen (needs Chromium)', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(gateway.http);
  await until('the meters are there', async () => (await page.locator('#meter-rows tr').count()) === 3);
  expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
});

test.skipIf(!installed)('a gateway that is gone is told, and so is its return (needs Chromium)', async () => {
  await page.goto(gateway.http);
  await until('the verdict is there', async () => /well/i.test(await text('#verdict')));
  await page.route('**/api/**', (route) => route.abort());
  const before = await text('#fresh');
  await until(
    'the loss is told',
    async () => (await text('#fresh')) !== before && /no answer|lost|reach/i.test(await text('body')),
  );
  await page.unroute('**/api/**');
  await until('the return is told', async () => /well/i.test(await text('#verdict')));
});
