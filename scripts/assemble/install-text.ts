import type { PartName } from './parts.js';

/** INSTALL.md of an installation: enough for who has the directory and not the repository. */
export const INSTALL_TEXT: Readonly<Record<PartName, string>> = {
  gateway: `# A gateway of wattwarden

What one gateway needs, and nothing else. Node.js 20.19 or later must be there. In this directory:

\`\`\`sh
npm ci --omit=dev                                # once, and after each update of this directory
npx wattwarden config check --config gw-7.yaml   # what \`wattwarden cloud add-gateway\` wrote, with its password file
node dist/agent/main.js run --config gw-7.yaml
npx wattwarden status --config gw-7.yaml
\`\`\`

npm fetches the packages that package-lock.json names; better-sqlite3 also fetches its compiled half, or compiles it
(python3, make and g++). \`config/wattwarden.example.yaml\` has every setting. SIGTERM or Ctrl-C stops in order;
\`npx wattwarden run\` works, too, but npx does not pass SIGTERM on to what it started.
`,
  centre: `# The centre of wattwarden

What the machine needs that prepares the database, trains and releases. Node.js 20.19 or later must be there, and a
PostgreSQL 15 or later within reach. In this directory:

\`\`\`sh
npm ci --omit=dev                                # once, and after each update of this directory
npx wattwarden cloud init --config centre.yaml
npx wattwarden cloud add-gateway gw-7 --out gw-7 --config centre.yaml
npx wattwarden cloud retrain --release --config centre.yaml
\`\`\`

\`config/wattwarden.example.yaml\` has every setting; those of the centre stand under \`centre:\`. No package runs a
script when it is installed (.npmrc).
`,
};

/** Packages whose scripts older npm would run though package.json refuses them: one downloads 200 MB from elsewhere. */
export const NPMRC_ADDITION: Readonly<Record<PartName, string>> = { gateway: '', centre: 'ignore-scripts=true\n' };
