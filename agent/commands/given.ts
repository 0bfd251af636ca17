import { loadSettings } from '../../config/load.js';
import type { Settings } from '../../config/schema.js';

/** What nearly every command is given. */
export interface Given {
  readonly config?: string;
  readonly json?: true;
}

export const settingsOf = ({ config: file }: Given): Settings => loadSettings({ file, env: process.env });

/** For a program one line of JSON, for a person a screen. */
export function print({ json }: Given, document: unknown, screen: () => string): void {
  console.log(json === true ? JSON.stringify(document) : screen());
}
