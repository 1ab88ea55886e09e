// Completes the packages that `napi create-npm-dirs` makes in npm/: the licence goes along, and the manifest says what napi
// does not take over from that of the root.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

for (const name of fs.readdirSync(path.join(root, 'npm'))) {
  const folder = path.join(root, 'npm', name);
  const file = path.join(folder, 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  // An addon is loaded from a file, and Yarn unpacks no archive for a path that is only required.
  const added = { type: 'commonjs', preferUnplugged: true };
  fs.writeFileSync(file, `${JSON.stringify({ ...manifest, ...added }, undefined, 2)}\n`);
  fs.copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
}
