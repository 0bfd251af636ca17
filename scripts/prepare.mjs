// Called by `npm start` and `npm test`: installs and builds what is missing or out of date. Plain JavaScript, because
// nothing is installed yet when it runs first; the version is checked before anything newer than it is loaded.
const NEEDED = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(
    `wattwarden needs Node.js ${NEEDED.join('.')} or later; this is ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer one, from https://nodejs.org/en/download or your package manager, and try again.',
  );
  process.exit(1);
}

import('./prepare/all.mjs')
  .then(({ prepare }) => prepare())
  .catch((error) => {
    console.error(error?.forPeople ? error.message : error);
    process.exit(1);
  });
