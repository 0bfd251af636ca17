import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  readonly caFile: string;
  /** A certificate for `name`, and for 127.0.0.1. */
  issue(name: string): { readonly certFile: string; readonly keyFile: string };
}

const openssl = (...given: readonly string[]) => execFileSync('openssl', given, { stdio: 'pipe' });
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority of its own, valid for two days, with its files in `dir`. */
export function createAuthority(dir: string, name = 'test authority'): Authority {
  const file = (suffix: string) => join(dir, `${name.replaceAll(' ', '-')}${suffix}`);
  const caFile = file('.crt');
  openssl('req', '-x509', ...NEW_KEY, '-keyout', file('.key'), '-out', caFile, '-days', '2', '-subj', `/CN=${name}`);
  return {
    caFile,
    issue(subject) {
      const base = file(`-${subject}`);
      openssl('req', '-new', ...NEW_KEY, '-keyout', `${base}.key`, '-out', `${base}.csr`, '-subj', `/CN=${subject}`);
      writeFileSync(`${base}.ext`, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
      const signed = ['-CA', caFile, '-CAkey', file('.key'), '-CAcreateserial', '-extfile', `${base}.ext`];
      openssl('x509', '-req', '-in', `${base}.csr`, ...signed, '-days', '2', '-out', `${base}.crt`);
      return { certFile: `${base}.crt`, keyFile: `${base}.key` };
    },
  };
}
