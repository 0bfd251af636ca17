import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Through a process of its own, because a logger writes to file descriptor 1. */
function logged(code: string): string {
  const log = fileURLToPath(new URL('../../dist/agent/domain/log.js', import.meta.url));
  const script = `import { createLogger } from ${JSON.stringify(log)};\n${code}`;
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

test('one JSON object a line, without secrets wherever they stand', () => {
  const line = logged(
    "createLogger('info').child({ thread: 'x' }).info({ password: 'p1', sync: { password: 'p2', host: 'h' }, a: { b: { token: 'p3' } } }, 'hello');",
  );
  expect(JSON.parse(line)).toMatchObject({ msg: 'hello', thread: 'x', sync: { host: 'h' } });
  expect(line).not.toMatch(/p1|p2|p3/);
});

test('less severe lines than asked for are not written', () => {
  expect(logged("const log = createLogger('warn'); log.info({}, 'quiet'); log.debug({}, 'quiet');")).toBe('');
});

test('on a terminal a line is for people', () => {
  const text = logged("createLogger('info', true).warn({ meter: 'm1' }, 'odd');");
  expect(text).toMatch(/WARN.*odd/);
  expect(text).toContain('meter');
});
