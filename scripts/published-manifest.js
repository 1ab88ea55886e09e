// The manifest as it is published. The release writes it just before `npm publish`, when there is nothing left to run by name;
// the install check packs with it as well.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** What is of use in a clone only. */
const OF_A_CLONE = new Set(['scripts', 'devDependencies', 'overrides', 'ava']);

/**
 * @param {Record<string, unknown>} manifest
 * @returns {Record<string, any>} without what is of use in a clone only
 */
function published(manifest) {
  return Object.fromEntries(Object.entries(manifest).filter(([name]) => !OF_A_CLONE.has(name)));
}

if (require.main === module) {
  const file = path.join(__dirname, '..', 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(file, `${JSON.stringify(published(manifest), undefined, 2)}\n`);
}

module.exports = { published };
