// Puts the compiled modules into one file, dist/index.js: what `require` costs is finding and opening files, far more
// than reading what is in them. Each module stays a function of its own, so that every name in it stays what it is
// (esbuild, which would be the ready-made way, makes `_TCP` of a class that names itself).
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const dist = path.join(__dirname, '..', 'dist');

/** @returns {string[]} paths relative to dist/, with slashes */
function modules() {
  return fs
    .readdirSync(path.join(dist, 'lib'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => `lib/${name}`)
    .concat('index.js');
}

/**
 * The text of a module, asking the bundle for its neighbours.
 * @param {string} name
 */
function body(name) {
  const folder = path.posix.dirname(name);
  return fs
    .readFileSync(path.join(dist, name), 'utf8')
    .replace(/^"use strict";\n/, '')
    .replace(/^Object\.defineProperty\(exports, "__esModule", .*\n/m, '')
    .replace(/\brequire\(["'](\.[^"']+)["']\)/g, (_call, /** @type {string} */ wanted) => {
      const found = path.posix.join(folder, wanted);
      // The native part's loader stays outside, beside dist/.
      return found.startsWith('../') ? `require(${JSON.stringify(found)})` : `load(${JSON.stringify(found)})`;
    });
}

// In parentheses, functions are compiled with the file instead of being looked through first and compiled when called.
const texts = modules().map((name) => `${JSON.stringify(name)}: (function (exports, module) {\n${body(name)}\n}),\n`);

const bundle = `'use strict';
const sources = {
${texts.join('')}};
const loaded = {};
function load(name) {
  let module = loaded[name];
  if (module === undefined) {
    module = loaded[name] = { exports: Object.defineProperty({}, '__esModule', { value: true }) };
    sources[name](module.exports, module);
  }
  return module.exports;
}
module.exports = load('index.js');
`;

for (const name of modules()) fs.rmSync(path.join(dist, name));
fs.writeFileSync(path.join(dist, 'index.js'), bundle);
