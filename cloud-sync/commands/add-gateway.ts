import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Settings } from '../../config/schema.js';
import { loadSigningKey } from '../release/signing-key.js';
import { registerGateway } from '../timescale/gateway-role.js';
import { centreAddress, withCentre } from './centre-session.js';

interface AddGateway {
  readonly centre: Settings['centre'];
  readonly name: string;
  readonly outDir: string;
  readonly renew: boolean;
}

export interface AddedGateway {
  readonly name: string;
  readonly role: string;
  readonly configFile: string;
  readonly passwordFile: string;
}

/** A role at the centre, and the two files that the gateway needs; the password stands in one of them only. */
export async function addGateway({ centre, name, outDir, renew }: AddGateway): Promise<AddedGateway> {
  const { publicKey } = loadSigningKey(centre.keys_dir);
  const password = randomBytes(24).toString('base64url');
  return withCentre(centreAddress(centre), (connection) =>
    connection.transaction(async () => {
      const role = await registerGateway(connection, { name, password, renew });
      const passwordFile = join(outDir, `${name}.password`);
      const configFile = join(outDir, `${name}.yaml`);
      // Before the commit: a role whose password nobody could write down would be of no use.
      mkdirSync(outDir, { recursive: true });
      writeWhole(passwordFile, `${password}\n`);
      const caFile = centre.tls.ca_file === undefined ? undefined : `${name}.ca.pem`;
      if (centre.tls.ca_file !== undefined && caFile !== undefined)
        copyFileSync(centre.tls.ca_file, join(outDir, caFile));
      writeWhole(configFile, fragment({ centre, name, role, publicKey, caFile }));
      return { name, role, configFile, passwordFile };
    }),
  );
}

interface Fragment {
  readonly centre: Settings['centre'];
  readonly name: string;
  readonly role: string;
  readonly publicKey: string;
  readonly caFile: string | undefined;
}

function fragment({ centre, name, role, publicKey, caFile }: Fragment): string {
  const { host, port, database, tls } = centre;
  const settings = {
    version: 1,
    gateway: { name },
    sync: {
      enabled: true,
      host,
      port,
      database,
      user: role,
      password_file: `${name}.password`,
      tls: { mode: tls.mode, ...(caFile === undefined ? {} : { ca_file: caFile }) },
    },
    models: { trusted_keys: [publicKey] },
  };
  return `# Keep the files of this gateway in one directory. sync.host is the centre's address as its own commands use it:
# change it where the gateway reaches the centre by another.
${stringify(settings)}`;
}

function writeWhole(file: string, text: string): void {
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' });
  renameSync(unfinished, file);
}
