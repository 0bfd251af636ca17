import { WattwardenError } from '../../agent/domain/errors.js';
import { type Connection, quoteIdentifier, quoteLiteral } from './connection.js';
import { GATEWAY_GROUP, HAS_OPTIONS } from './roles.js';
import { scramVerifier } from './scram.js';

interface GatewayRole {
  readonly name: string;
  readonly password: string;
  /** A gateway that is registered already gets this password, instead of an error. */
  readonly renew: boolean;
}

const GATEWAY_NAME = /^[a-z][a-z0-9-]{0,39}$/;

/** One session, and those that a broken link has left behind until keep-alive finds out. */
const CONNECTION_LIMIT = 5;

const LIMITS: Readonly<Record<string, string>> = {
  statement_timeout: '60s',
  lock_timeout: '30s',
  idle_in_transaction_session_timeout: '30s',
  idle_session_timeout: '2h',
  tcp_keepalives_idle: '60',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '6',
};

export const roleName = (gateway: string): string => `gw_${gateway}`;

/** Belongs into a transaction. Returns the name of the role. */
export async function registerGateway(connection: Connection, { name, password, renew }: GatewayRole): Promise<string> {
  if (!GATEWAY_NAME.test(name)) {
    throw new WattwardenError('config.invalid', `gateway name: 1-40 of a-z 0-9 -, a letter first (got ${name})`);
  }
  const role = roleName(name);
  const [found] = await connection.query(
    `select exists (select from pg_catalog.pg_roles where rolname = $1) as role,
            exists (select from wattwarden_data.gateway where name = $2) as gateway`,
    [role, name],
  );
  const isKnown = found?.['role'] === true;
  if (!renew && (isKnown || found?.['gateway'] === true)) throw new WattwardenError('gateway.exists', name);
  await connection.query(roleSql(role, isKnown ? 'alter' : 'create', password));
  await connection.query(
    `insert into wattwarden_data.gateway (name, role_name) values ($1, $2) on conflict (name) do nothing`,
    [name, role],
  );
  return role;
}

function roleSql(role: string, verb: 'create' | 'alter', password: string): string {
  const quoted = quoteIdentifier(role);
  // No role has more than this unless somebody says so; saying it would need a superuser where the role exists.
  const rights = 'login noinherit nocreatedb nocreaterole';
  return [
    `${verb} role ${quoted} ${rights} connection limit ${CONNECTION_LIMIT}
       password ${quoteLiteral(scramVerifier(password))}`,
    // Before PostgreSQL 16 it can take on the group too, which has no more rights than it has then anyway.
    `do $$ begin execute pg_catalog.format(
       ${HAS_OPTIONS} then 'grant ${GATEWAY_GROUP} to %I with inherit true, set false, admin false'
         else 'grant ${GATEWAY_GROUP} to %1$I; alter role %1$I inherit' end, ${quoteLiteral(role)}); end $$`,
    `do $$ begin execute pg_catalog.format(
       'grant connect on database %I to %I', pg_catalog.current_database(), ${quoteLiteral(role)}); end $$`,
    ...Object.entries(LIMITS).map(([name, value]) => `alter role ${quoted} set ${name} = ${quoteLiteral(value)}`),
  ].join(';\n');
}
