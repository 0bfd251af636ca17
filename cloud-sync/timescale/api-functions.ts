import { STREAM_NAMES, type StreamName } from '../../agent/domain/stored.js';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../models/bundle/manifest.js';
import { type Column, STREAM_CONTRACT, type StreamContract, wireType } from '../contract/streams.js';
import {
  BAD_BATCH,
  CONTRACT_VERSION,
  MAX_ACCEPTED_BYTES,
  MAX_BATCH_ROWS,
  MAX_LOGS_PER_GATEWAY,
  REFUSED_GATEWAY,
} from '../contract/version.js';

/**
 * The whole API, made anew from the contract at every migration that finds it changed. Each function runs with the
 * owner's rights, takes its names from nowhere but `pg_catalog`, and knows the caller by session_user alone.
 */
export function apiFunctions(): string {
  return [OWN_FUNCTIONS, ...STREAM_NAMES.map(pushFunction), READING_FUNCTIONS].join('\n');
}

const DEFINER = 'security definer set search_path = pg_catalog, pg_temp';

/** For the functions below; no gateway can name this schema. */
const OWN_FUNCTIONS = `
create or replace function wattwarden_data.current_gateway() returns integer
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare found_id integer;
begin
  select id into found_id from wattwarden_data.gateway where role_name = session_user;
  if found_id is null then
    raise exception 'role % is not registered as a gateway', session_user using errcode = '${REFUSED_GATEWAY}';
  end if;
  return found_id;
end $$;

create or replace function wattwarden_data.refuse_batch(reason text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '%', reason using errcode = '${BAD_BATCH}';
end $$;

create or replace function wattwarden_data.known_log(gateway integer, log_name text) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare found_id integer;
begin
  if log_name is null or length(log_name) not between 1 and 64 then
    raise exception 'a log has a name of 1 to 64 characters' using errcode = '${REFUSED_GATEWAY}';
  end if;
  select id into found_id from wattwarden_data.log where gateway_id = gateway and name = log_name;
  if found_id is not null then return found_id; end if;
  if (select count(*) from wattwarden_data.log where gateway_id = gateway) >= ${MAX_LOGS_PER_GATEWAY} then
    raise exception 'this gateway has used ${MAX_LOGS_PER_GATEWAY} logs already' using errcode = '${REFUSED_GATEWAY}';
  end if;
  insert into wattwarden_data.log (gateway_id, name) values (gateway, log_name)
    on conflict (gateway_id, name) do update set name = excluded.name returning id into found_id;
  return found_id;
end $$;
`;

function pushFunction(stream: StreamName): string {
  const contract: StreamContract = STREAM_CONTRACT[stream];
  const { columns, position } = contract;
  const names = columns.map(({ name }) => name);
  const args = columns.map(({ name, type }) => `p_${name} ${wireType(type)}[]`);
  const uneven = names.map((name) => `cardinality(p_${name}) is distinct from batch_rows`).join(' or ');
  return `
create function wattwarden_api.push_${stream}(p_log text, p_after bigint, p_up_to bigint, ${args.join(', ')})
returns integer language plpgsql ${DEFINER} as $$
declare
  caller constant integer := wattwarden_data.current_gateway();
  batch_rows constant integer := cardinality(p_${position});
  known_log integer;
  written integer;
  accepted_bytes integer;
begin
  if batch_rows is null or batch_rows > ${MAX_BATCH_ROWS} then
    perform wattwarden_data.refuse_batch('a batch has at most ${MAX_BATCH_ROWS} rows');
  end if;
  if ${uneven} then
    perform wattwarden_data.refuse_batch('the columns of the batch differ in length');
  end if;
  if p_after is null or p_up_to is null or p_after < 0 or p_up_to <= p_after
     or exists (select from unnest(p_${position}) at where at is null or at <= p_after or at > p_up_to) then
    perform wattwarden_data.refuse_batch('a row lies outside the range that the batch names');
  end if;
  known_log := wattwarden_data.known_log(caller, p_log);
${upsert(stream, contract)}
  get diagnostics written = row_count;
  insert into wattwarden_data.position as held (gateway_id, stream, log_id, accepted, batches, rows, updated_at)
  values (caller, '${stream}', known_log, int8multirange(int8range(p_after, p_up_to, '(]')), 1, batch_rows, now())
  on conflict (gateway_id, stream, log_id) do update
     set accepted = held.accepted + excluded.accepted, batches = held.batches + 1,
         rows = held.rows + excluded.rows, updated_at = excluded.updated_at
  returning pg_column_size(accepted) into accepted_bytes;
  if accepted_bytes > ${MAX_ACCEPTED_BYTES} then
    raise exception 'the log of this gateway has too many gaps' using errcode = '${REFUSED_GATEWAY}';
  end if;
  return written;
end $$;
`;
}

/** A key that stands twice in one batch is settled before the conflict clause, which may touch a row only once. */
function upsert(stream: StreamName, { columns, position, key, wins }: StreamContract): string {
  const names = columns.map(({ name }) => name);
  const keyNames: readonly string[] = key;
  const updated = ['log_id', ...names.filter((name) => !keyNames.includes(name))];
  const better =
    wins === 'first'
      ? `excluded.log_id = held.log_id and excluded.${position} < held.${position}`
      : `excluded.revision > held.revision or (excluded.revision = held.revision
           and excluded.log_id = held.log_id and excluded.${position} > held.${position})`;
  const order = wins === 'first' ? `b.${position}` : `b.revision desc, b.${position} desc`;
  return `
  insert into wattwarden_data.${stream} as held (gateway_id, log_id, ${names.join(', ')})
  select distinct on (${key.map((name) => `b.${name}`).join(', ')}) caller, known_log, ${columns.map(stored).join(', ')}
    from unnest(${names.map((name) => `p_${name}`).join(', ')}) as b(${names.join(', ')})
   order by ${key.map((name) => `b.${name}`).join(', ')}, ${order}
  on conflict (gateway_id, ${key.join(', ')}) do update
     set ${updated.map((name) => `${name} = excluded.${name}`).join(', ')}
   where ${better};
`;
}

const stored = ({ name, type }: Column): string =>
  type === 'time' ? `timestamptz 'epoch' + b.${name} * interval '1 millisecond'` : `b.${name}`;

const READING_FUNCTIONS = `
create function wattwarden_api.hello()
returns table (contract_version integer, server_time_ms bigint, gateway text) language plpgsql ${DEFINER} as $$
declare caller constant integer := wattwarden_data.current_gateway();
begin
  return query update wattwarden_data.gateway as g set last_hello_at = now() where g.id = caller
    returning ${CONTRACT_VERSION}, (extract(epoch from clock_timestamp()) * 1000)::bigint, g.name;
end $$;

create function wattwarden_api.latest_release()
returns table (sequence bigint, version text, fingerprint text, bytes bigint) language plpgsql stable ${DEFINER} as $$
begin
  perform wattwarden_data.current_gateway();
  return query
    select r.sequence, r.version,
           encode(sha256(r.manifest || convert_to(r.signature, 'UTF8')), 'hex'),
           (select coalesce(sum(length(f.content)), 0)::bigint from wattwarden_data.release_file f
             where f.version = r.version)
      from wattwarden_data.release r order by r.sequence desc limit 1;
end $$;

create function wattwarden_api.release_file(p_version text, p_name text)
returns table (content bytea) language plpgsql stable ${DEFINER} as $$
begin
  perform wattwarden_data.current_gateway();
  return query
    select case p_name when '${MANIFEST_FILE}' then r.manifest else convert_to(r.signature, 'UTF8') end
      from wattwarden_data.release r where r.version = p_version and p_name in ('${MANIFEST_FILE}', '${SIGNATURE_FILE}')
    union all
    select f.content from wattwarden_data.release_file f where f.version = p_version and f.name = p_name;
end $$;
`;
