// `npm install` runs this in a clone, and in the one that it makes of a dependency on a repository. As long as nothing is
// built, each entry point of the package says so, where Node would say that dist/index.js is not there.
//
// It is `postprepare` because npm runs that in a clone only. `prepare` concerns who installs the package from an archive or a
// folder as well: npm asks them to approve it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

const TEXT = `'use strict';
const message =
  'ferronet is not built here: this is its source, without the native part. In a clone of the repository, ' +
  '\`npm install && npm run build\` builds it (with Rust); then \`npm install <path of the clone>\` installs it elsewhere.';
throw Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });
`;

/**
 * The files that a part of `exports` names.
 * @param {unknown} part
 * @returns {string[]}
 */
function named(part) {
  return typeof part === 'string' ? [part] : Object.values(/** @type {object} */ (part)).flatMap(named);
}

const { exports: entries } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
for (const file of named(entries).filter((name) => /^\.\/dist\/.*\.js$/.test(name))) {
  const at = path.join(root, file);
  if (fs.existsSync(at)) continue;
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.writeFileSync(at, TEXT);
}
