// The compiled typings name the native part's by the path it has from the sources, '../binding.js' seen from lib/.
// Seen from dist/lib/ that is dist/binding.d.ts, where the compiler does not put it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
fs.copyFileSync(path.join(root, 'binding.d.ts'), path.join(root, 'dist', 'binding.d.ts'));
