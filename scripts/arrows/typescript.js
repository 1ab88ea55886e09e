// What the TypeScript modules of the package import, by the text of their imports.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** An import, an export from elsewhere, `import()` of a module or of its types, `require`. */
const IMPORTS = /(?:\bfrom |\bimport |\bimport\(|\brequire\()'(\.[^']+)'/g;

/**
 * @param {string} root the folder of the package
 * @param {string} folder inside it
 * @returns {import('./layers.js').Module[]} by their paths from the folder of the package, without `.ts`
 */
function modules(root, folder) {
  const names = fs.readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = path.posix.join(folder, name.replaceAll('\\', '/'));
      const text = fs.readFileSync(path.join(root, file), 'utf8');
      const imports = Array.from(text.matchAll(IMPORTS), ([, wanted]) =>
        path.posix.join(path.posix.dirname(file), String(wanted)).replace(/\.js$/, ''),
      );
      return { name: file.replace(/\.ts$/, ''), imports };
    });
}

module.exports = { modules };
