import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf, WattwardenError } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import { watchFiles } from './file-watch.js';
import type { ReadSecret } from './user-book.js';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of the clients' certificates. */
  readonly caFile: string | undefined;
}

export interface Certificates {
  /** For a new listener. */
  readonly current: SecureContextOptions;
  /** Each listener gets what is new. */
  onChange(take: (fresh: SecureContextOptions) => void): void;
  /** When the gateway's own certificate ends. */
  readonly validUntilMs: number;
  close(): void;
}

interface Surroundings {
  readonly readSecret: ReadSecret;
  readonly log: Logger;
  onReload(fine: boolean): void;
}

interface Loaded {
  readonly options: SecureContextOptions;
  readonly validUntilMs: number;
}

/** The certificate, as its files are now; broken new files leave the one in force that was. */
export function openCertificates(files: CertificateFiles, { readSecret, log, onReload }: Surroundings): Certificates {
  const takers: ((fresh: SecureContextOptions) => void)[] = [];
  let loaded = load(files, readSecret);
  const watched = [files.certFile, files.keyFile, ...(files.caFile === undefined ? [] : [files.caFile])];
  const watch = watchFiles(watched, () => {
    try {
      loaded = load(files, readSecret);
      for (const take of takers) take(loaded.options);
      log.info({ validUntil: new Date(loaded.validUntilMs).toISOString() }, 'certificate read again');
      onReload(true);
    } catch (error) {
      log.warn({ detail: messageOf(error) }, 'the new certificate is not used; the one before serves on');
      onReload(false);
    }
  });
  return {
    get current() {
      return loaded.options;
    },
    get validUntilMs() {
      return loaded.validUntilMs;
    },
    onChange: (take) => takers.push(take),
    close: watch.close,
  };
}

/** Everything that could be wrong is wrong here, and not at the first client. */
function load({ certFile, keyFile, caFile }: CertificateFiles, readSecret: ReadSecret): Loaded {
  const key = readSecret(keyFile);
  const cert = certificatesIn(certFile);
  const ca = caFile === undefined ? undefined : certificatesIn(caFile);
  const options = { cert: cert.map(pemOf), key, ...(ca === undefined ? {} : { ca: ca.map(pemOf) }) };
  const chain = { ...options, cert: options.cert.join('') };
  try {
    createSecureContext(chain);
  } catch (error) {
    throw new WattwardenError('tls.unusable', `${certFile}, ${keyFile}: ${messageOf(error)}`, { cause: error });
  }
  return { options: { ...chain, minVersion: 'TLSv1.2' }, validUntilMs: Date.parse(cert[0]?.validTo ?? '') };
}

const pemOf = (certificate: X509Certificate): string => certificate.toString();
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

function certificatesIn(file: string): readonly X509Certificate[] {
  try {
    const found = readFileSync(file, 'utf8').match(PEM) ?? [];
    if (found.length === 0) throw new Error('holds no certificate in PEM');
    return found.map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw new WattwardenError('tls.unusable', `${file}: ${messageOf(error)}`, { cause: error });
  }
}
