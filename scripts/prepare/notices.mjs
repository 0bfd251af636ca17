import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

const INSTALLED = `${sep}node_modules${sep}`;
const LICENCE = /^(licen[cs]e|copying|notice)/i;

/** Of the packages that these modules belong to: what their licences ask to go with every copy. */
export function noticesOf(modules) {
  const packages = new Set(modules.filter((id) => id.includes(INSTALLED)).map(packageOf));
  return [...new Set([...packages].map(noticeOf))].sort().join(`\n${'-'.repeat(80)}\n\n`);
}

function packageOf(id) {
  const from = id.lastIndexOf(INSTALLED) + INSTALLED.length;
  const names = id.slice(from).split(sep);
  return id.slice(0, from) + names.slice(0, names[0].startsWith('@') ? 2 : 1).join(sep);
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder).filter((file) => LICENCE.test(file));
  return [
    `${name} ${version} (${license})`,
    ...texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()),
    '',
  ].join('\n\n');
}
