import { ERRORS } from '../agent/domain/errors.js';
import { FLAGS } from '../agent/domain/flags.js';
import { ADVICE } from '../agent/domain/quality.js';
import { REJECT_REASONS, type RejectReason } from '../agent/domain/rejection.js';
import { exampleFile } from '../config/example.js';
import { jsonSchemaFile } from '../config/json-schema.js';
import { referencePage } from '../config/reference.js';
import { kernelsFile } from './kernels.js';

/** Every file that is made from the sources below `root`, by its place; a test compares them with what stands there. */
export const GENERATED: Readonly<Record<string, (root: string) => string | Promise<string>>> = {
  'config/wattwarden.example.yaml': exampleFile,
  'config/wattwarden.schema.json': jsonSchemaFile,
  'docs/configuration.md': referencePage,
  'docs/errors.md': errorsPage,
  'docs/flags.md': flagsPage,
  'docs/rejections.md': rejectionsPage,
  'models/engine/kernels.gen.ts': kernelsFile,
};

function errorsPage(): string {
  const entries = Object.entries(ERRORS).map(
    ([code, { hint, action, retry }]) =>
      `## ${code}\n\n${hint}\n\n**What to do:** ${action}\n\n${retry ? 'It is tried again by itself.' : 'It is not tried again by itself.'}\n`,
  );
  const head = `# Errors

<!-- Generated from agent/domain/errors.ts by \`npm run generate\`. -->

A failed operation is named by a code that does not change from version to version: in the log as \`code\`, on the
command line before its message. What is wrong with a reading is no error but a refusal: see [rejections](rejections.md).
`;
  return [head, ...entries].join('\n');
}

function rejectionsPage(): string {
  const rows = (Object.entries(REJECT_REASONS) as [RejectReason, string][]).map(
    ([reason, meaning]) => `## ${reason}\n\n${meaning}\n\n**What to do:** ${ADVICE[reason]}\n`,
  );
  const head = `# Refused readings

<!-- Generated from agent/domain/rejection.ts by \`npm run generate\`. -->

What a meter published and was not taken as a reading is acknowledged, counted in
\`wattwarden_readings_rejected_total{reason}\` and kept as it came: \`wattwarden rejected\` lists it with its reason.
`;
  return [head, ...rows].join('\n');
}

function flagsPage(): string {
  const rows = (Object.entries(FLAGS) as [keyof typeof FLAGS, (typeof FLAGS)[keyof typeof FLAGS]][]).map(
    ([flag, { bit, about }]) => `## ${flag}\n\nBit ${bit}. ${about}\n\n**What to do:** ${ADVICE[flag]}\n`,
  );
  const head = `# Flags of readings

<!-- Generated from agent/domain/flags.ts by \`npm run generate\`. -->

What is remarkable about a reading that is usable all the same. \`wattwarden readings\` and the API name the flags, the
column \`flags\` of the buffer and of the centre holds their bits, and \`wattwarden_readings_flagged_total{flag}\` counts
them. Bits 0-7 are what a meter says of itself, the others what [validation](data-quality.md) found.
`;
  return [head, ...rows].join('\n');
}
