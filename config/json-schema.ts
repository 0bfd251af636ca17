import { z } from 'zod';
import { settingsSchema } from './schema.js';

/** What our own keywords are to us is noise to an editor. */
const OWN_KEYWORDS = ['secret', 'path', 'rule'];

/** config/wattwarden.schema.json: lets an editor complete and check the configuration file while it is written. */
export function jsonSchemaFile(): string {
  const schema = z.toJSONSchema(settingsSchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      for (const keyword of OWN_KEYWORDS) delete jsonSchema[keyword];
      if (path.length === 0) jsonSchema.required = ['version'];
    },
  });
  return `${JSON.stringify({ title: 'Configuration of wattwarden', ...schema }, undefined, 2)}\n`;
}
