import type { Connection } from './connection.js';

/** Owns schemas, tables and functions, and cannot log in. */
export const OWNER_ROLE = 'wattwarden_owner';
/** What every gateway's role may do; cannot log in either. */
export const GATEWAY_GROUP = 'wattwarden_gateway';

/** A grant says by itself whether it is inherited and whether the role can be taken on only since PostgreSQL 16. */
export const HAS_OPTIONS = `case when pg_catalog.current_setting('server_version_num')::int >= 160000`;

/** Roles belong to the whole server: another database may make the same ones at the same moment. */
export const ROLES = [OWNER_ROLE, GATEWAY_GROUP]
  .map(
    (role) => `
do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = '${role}') then
    create role ${role} nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;`,
  )
  .concat(`
do $$ begin
  if not pg_catalog.pg_has_role(current_user, '${OWNER_ROLE}', ${HAS_OPTIONS} then 'set' else 'member' end) then
    execute pg_catalog.format('grant ${OWNER_ROLE} to %I', current_user);
  end if;
end $$;`)
  .join('\n');

/**
 * Functions of PostgreSQL that everybody may call unless told otherwise, and with which a role that can do nothing
 * could still fill the disk, hold the owner's locks, or run code of its own.
 */
const OPEN_FUNCTIONS = `
select p.oid::pg_catalog.regprocedure::text as name
  from pg_catalog.pg_proc p
 where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
   and (p.proname ~ '^lo_' or p.proname in ('loread', 'lowrite', 'pg_notify', 'pg_logical_emit_message')
        or p.proname ~ '^pg_(try_)?advisory_')
   and pg_catalog.has_function_privilege('public', p.oid, 'execute')`;

const OPEN_DATABASES = `
select datname as name from pg_catalog.pg_database
 where datallowconn and not datistemplate and datname <> pg_catalog.current_database()
   and pg_catalog.has_database_privilege('public', oid, 'connect')
 order by 1`;

/** What this database gives to everybody is taken back; returns what only the server's administrator can mend. */
export async function closeToPublic(connection: Connection): Promise<string[]> {
  const warnings: string[] = [];
  const [me] = await connection.query(`
    select rolsuper as superuser, current_database() as database, quote_ident(current_database()) as quoted
      from pg_catalog.pg_roles where rolname = current_user`);
  const database = String(me?.['quoted']);
  await connection.query(`
    revoke all on database ${database} from public;
    grant connect on database ${database} to ${OWNER_ROLE};
    revoke all on schema public from public;`);
  const open = await connection.query(OPEN_FUNCTIONS);
  if (me?.['superuser'] === true) {
    for (const { name } of open) {
      await connection.query(`revoke execute on function pg_catalog.${unqualified(String(name))} from public`);
    }
    await connection.query(`
      revoke usage on language plpgsql from public;
      grant usage on language plpgsql to ${OWNER_ROLE};`);
  } else if (open.length > 0) {
    warnings.push(
      `a superuser must run \`cloud init\` once: everybody may call ${open.length} functions of PostgreSQL`,
    );
  }
  const others = await connection.query(OPEN_DATABASES);
  if (others.length > 0) {
    const names = others.map(({ name }) => String(name)).join(', ');
    warnings.push(`every role may connect to other databases of this server: ${names}`);
  }
  return warnings;
}

const unqualified = (signature: string): string => signature.replace(/^pg_catalog\./, '');
