import { expect, test } from 'vitest';
import { fitsPassword, hashPassword, parsePasswordHash } from './password-hash.js';
import { parseUsers, USERS_FILE_HEAD, withoutUser, withUser } from './users-file.js';

const hash = await hashPassword(Buffer.from('correct horse'));
const member = { role: 'meter', hash, topics: [] } as const;

test('a hash fits its password and no other, and two of the same password differ', async () => {
  const stored = parsePasswordHash(hash);
  if (stored === undefined) throw new Error('not parsed');
  expect(await fitsPassword(Buffer.from('correct horse'), stored)).toBe(true);
  expect(await fitsPassword(Buffer.from('correct horse '), stored)).toBe(false);
  expect(await hashPassword(Buffer.from('correct horse'))).not.toBe(hash);
});

test('a hash that would take gigabytes, or nothing, is none', () => {
  expect(parsePasswordHash(hash.replace('ln=14', 'ln=24'))).toBeUndefined();
  expect(parsePasswordHash(hash.replace('ln=14', 'ln=04'))).toBeUndefined();
  expect(parsePasswordHash('$2b$12$abcdefghijklmnopqrstuv')).toBeUndefined();
});

test('users are added in their place and removed, and comments stay', () => {
  let text = `${USERS_FILE_HEAD}# the cellar\n`;
  text = withUser(text, { name: 'm1', ...member });
  text = withUser(text, { name: 'gw', role: 'gateway', hash, topics: ['meters/a/#', 'meters/b:1/#'] });
  text = withUser(text, { name: 'm1', ...member, hash: undefined });
  const users = parseUsers(text, 'users');
  expect([...users.keys()]).toEqual(['m1', 'gw']);
  expect(users.get('m1')).toMatchObject({ role: 'meter', password: 'certificate' });
  expect(users.get('gw')).toMatchObject({ role: 'gateway', topics: ['meters/a/#', 'meters/b:1/#'] });
  const left = withoutUser(text, 'm1') ?? '';
  expect(left).toContain('# the cellar');
  expect([...parseUsers(left, 'users').keys()]).toEqual(['gw']);
  expect(withoutUser(left, 'm1')).toBeUndefined();
});

test('every fault of a file is named with its line', () => {
  const text = `good:meter:-\ngood:meter:!\n+:meter:-\nx:king:-\ny:meter:plain\nz:meter:-:a/#/b\n`;
  expect(() => parseUsers(text, 'f')).toThrow(
    expect.objectContaining({
      code: 'users.invalid',
      message: expect.stringMatching(
        /f:2: good stands there twice\nf:3:.*\nf:4:.*king|role of x.*\nf:5: .*y.*\nf:6: .*z/s,
      ),
    }),
  );
});
