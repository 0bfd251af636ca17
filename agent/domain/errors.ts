interface ErrorEntry {
  /** What went wrong, for the person who reads the log. */
  readonly hint: string;
  /** What that person does next. */
  readonly action: string;
  /** Whether the same call may succeed later without anybody's help. */
  readonly retry: boolean;
}

/** Every failure that the product names. docs/errors.md is generated from this table. */
export const ERRORS = {
  'config.unreadable': {
    hint: 'The configuration file could not be read.',
    action: 'Check the path given with --config and that the process may read it.',
    retry: false,
  },
  'config.invalid': {
    hint: 'The configuration breaks one or more rules.',
    action: 'Mend every line listed; `wattwarden config reference` explains each key.',
    retry: false,
  },
  'secret.unreadable': {
    hint: 'A secret named in the configuration could not be read.',
    action: 'Check that the file exists, belongs to the user of the process and has mode 0600.',
    retry: false,
  },
  'port.in_use': {
    hint: 'Another program listens on this address.',
    action: 'Stop that program, or set another port in the configuration.',
    retry: false,
  },
  'port.forbidden': {
    hint: 'This process may not listen on this address.',
    action: 'Use a port above 1023, or an address of this machine.',
    retry: false,
  },
  'clock.untrusted': {
    hint: 'The gateway does not know what time it is.',
    action:
      'Nothing is lost: readings are stored and wait. Let the machine reach a time service; or set its clock and call `wattwarden clock --trust`.',
    retry: true,
  },
  'source.unreachable': {
    hint: 'The broker that readings are taken from does not answer.',
    action: 'Check source.url and the link; what meters publish meanwhile waits at that broker.',
    retry: true,
  },
  'source.refused': {
    hint: 'The broker that readings are taken from refused this gateway.',
    action: 'Check source.user, its password, and that it may connect and subscribe there.',
    retry: true,
  },
  'source.untrusted': {
    hint: 'The encrypted connection to the broker that readings are taken from was not established.',
    action: 'Check source.ca_file, cert_file and key_file, the name in the certificate, and the date of this machine.',
    retry: true,
  },
  'source.lost': {
    hint: 'The connection to the broker that readings are taken from ended.',
    action:
      'Nothing to do if it comes back; if it ends again and again, look for a second client with source.client_id.',
    retry: true,
  },
  'users.invalid': {
    hint: 'The file of users cannot be used.',
    action: 'Mend the lines named in the detail, or write them with `wattwarden users`.',
    retry: false,
  },
  'tls.unusable': {
    hint: 'A certificate or its key cannot be used.',
    action: 'Check the files named in mqtt.tls: certificate and key in PEM, made for each other.',
    retry: false,
  },
  'buffer.unopenable': {
    hint: 'The buffer file could not be opened.',
    action: 'Check that the directory exists, is writable and is on a local file system.',
    retry: false,
  },
  'buffer.in_use': {
    hint: 'Another gateway already writes to this buffer.',
    action: 'Stop it first: two writers on one buffer would count readings twice.',
    retry: false,
  },
  'buffer.newer': {
    hint: 'The buffer was written by a newer version of wattwarden.',
    action: 'Install that version again, or name another buffer.path.',
    retry: false,
  },
  'buffer.no_access': {
    hint: 'This process may not write the buffer.',
    action:
      'Check owner and mode of the path named, and that its file system is not mounted read-only, which is also what a failing SD card looks like.',
    retry: false,
  },
  'buffer.damaged': {
    hint: 'The buffer file is damaged.',
    action:
      'Nothing to do at once: the running gateway sets the file aside, goes on with a new one and salvages what can be read. `wattwarden status` says what is lost. Check the disk.',
    retry: false,
  },
  'buffer.migration_failed': {
    hint: 'The buffer could not be brought to the version of this program; it is as it was.',
    action:
      'Install the version before again, and report what the detail says; a copy made before stands beside the buffer (`.before-v…`).',
    retry: false,
  },
  'buffer.slot_width': {
    hint: 'The buffer was made with slots of another width.',
    action:
      'Set buffer.slot_minutes to what the detail names, or name another buffer.path: a file keeps its width, and begins with none of the history of another.',
    retry: false,
  },
  'buffer.write_failed': {
    hint: 'The buffer could not be written; nothing was acknowledged.',
    action: 'Look for a full or failing disk; meters send again by themselves.',
    retry: true,
  },
  'export.exists': {
    hint: 'A file of this name exists, and an export never overwrites one.',
    action: 'Name another file with --out, or move that one away.',
    retry: false,
  },
  'export.unreadable': {
    hint: 'The file is not a whole export; nothing of it is stored.',
    action: 'Copy it again, and compare the lengths: the detail says where it is cut short or damaged.',
    retry: false,
  },
  'export.bad_signature': {
    hint: 'The export is not signed by a key that is trusted here; nothing of it is stored.',
    action: 'Ask whoever made it for the public key that `wattwarden export` printed, and pass it with --trusted-key.',
    retry: false,
  },
  'buffer.full': {
    hint: 'The disk, or the bound of the buffer, is full; nothing was acknowledged.',
    action:
      'Make room on the disk or raise buffer.max_bytes. What is not needed is dropped meanwhile, and readings are taken in again within seconds of room returning.',
    retry: true,
  },
  'buffer.no_room': {
    hint: 'There is no room on the disk to open the buffer, or to bring it to the version of this program.',
    action:
      'Delete something else on the disk of the buffer, or move buffer.path to another; nothing in the buffer is lost.',
    retry: true,
  },
  'bundle.unreadable': {
    hint: 'A model bundle is not what a bundle must be.',
    action: 'Release it again from the centre. If the model that came with the program is refused, install that again.',
    retry: false,
  },
  'bundle.hash_mismatch': {
    hint: 'A file of a model bundle differs from its manifest.',
    action: 'Release the bundle again. If it is the one that came with the program, install that again.',
    retry: false,
  },
  'bundle.bad_signature': {
    hint: 'A model bundle is not signed by a key that this gateway trusts.',
    action: 'Check models.trusted_keys against the public key of the centre.',
    retry: false,
  },
  'bundle.incompatible': {
    hint: 'A model bundle was made for another version of the features or another slot width.',
    action: 'Update the gateway, or release a bundle made for its version.',
    retry: false,
  },
  'bundle.older': {
    hint: 'A model bundle is older than the one that is installed.',
    action: 'Release a bundle made later. To go back on purpose, delete the directory `models` of this gateway first.',
    retry: false,
  },
  'bundle.golden_mismatch': {
    hint: 'A model bundle does not give its own golden outputs on this machine.',
    action:
      'Report the processor to whoever trains. The model before serves on; without one, readings are taken in and replicated, but not forecast or scored.',
    retry: false,
  },
  'model.no_data': {
    hint: 'There is nothing to train on: too little history, or none that ever changes.',
    action:
      'Wait until the centre has two full days of slots of at least one meter (a model of days needs three months of a few meters), or give a longer file, or one of more meters. Where no series ever changes, look whether the meters report their load at all (`wattwarden status`), or whether the column of the file is the one meant.',
    retry: true,
  },
  'training.unreadable': {
    hint: 'What a training has kept to go on from is damaged.',
    action: 'Delete the file that the detail names, or give --work another directory; the training then begins anew.',
    retry: false,
  },
  'centre.unreachable': {
    hint: 'The centre does not answer.',
    action: 'Nothing is lost: readings wait in the buffer. Check the link, sync.host and sync.port.',
    retry: true,
  },
  'centre.refused': {
    hint: 'The centre refused this gateway.',
    action: 'Check sync.user and its password; `wattwarden cloud add-gateway` makes new ones.',
    retry: true,
  },
  'centre.untrusted': {
    hint: 'The certificate of the centre could not be verified; nothing was sent to it.',
    action: 'Check tls.ca_file, that the host is the name in the certificate, and the date of this machine.',
    retry: true,
  },
  'centre.incompatible': {
    hint: 'The centre speaks another version of the contract.',
    action: 'Run `wattwarden cloud init` with the newer version at the centre, or update the gateway.',
    retry: true,
  },
  'centre.rejected_batch': {
    hint: 'The centre objects to what rows say.',
    action:
      'The rows around them are sent on; the log names each row that is set aside, and the buffer keeps it. Report what the detail says.',
    retry: true,
  },
  'centre.busy': {
    hint: 'The centre answers, but cannot do this now.',
    action: 'Nothing is lost: it is tried again. Look for a full disk, long locks or a read-only server at the centre.',
    retry: true,
  },
  'release.exists': {
    hint: 'A release of this version exists, and a release never changes.',
    action: 'Give the bundle a version of its own and release that.',
    retry: false,
  },
  'gateway.exists': {
    hint: 'A gateway of this name is already registered.',
    action: 'Choose another name, or pass --renew to give it a new password.',
    retry: false,
  },
  'gateway.not_running': {
    hint: 'No gateway answers on the local socket.',
    action: 'Start it with `wattwarden run --config FILE`, or name its configuration with --config.',
    retry: false,
  },
  'stop.straggler': {
    hint: 'A part of the gateway did not stop in time.',
    action: 'What was acknowledged is stored. Report the part named in the detail.',
    retry: false,
  },
  'thread.died': {
    hint: 'A worker thread ended unexpectedly and is started again.',
    action: 'Look at the lines before this one; ingest goes on meanwhile.',
    retry: true,
  },
  'install.missing_part': {
    hint: 'This command belongs to a part of wattwarden that is not installed here.',
    action: 'Call it where that part is installed; README.md says how (gateway, centre, or the repository itself).',
    retry: false,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** A failed operation, with a stable code; bad data is a value with a reason instead. */
export class WattwardenError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.name = 'WattwardenError';
    this.code = code;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }

  get action(): string {
    return ERRORS[this.code].action;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` that Node, SQLite and PostgreSQL put on their errors. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The buffer took nothing in: what was to be written is written later. */
export const isWriteRefused = (error: unknown): boolean =>
  error instanceof WattwardenError && (error.code === 'buffer.write_failed' || error.code === 'buffer.full');

/** An impossible state ends the process: going on would make the data wrong. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${what}`);
}
