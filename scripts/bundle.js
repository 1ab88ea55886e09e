// Puts the compiled modules into one file for each door of the package: what `require` costs is finding and opening
// files, far more than reading what is in them. Each module stays a function of its own, so that every name in it stays
// what it is (esbuild, which would be the ready-made way, makes `_TCP` of a class that names itself).
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const dist = path.join(__dirname, '..', 'dist');

/**
 * The files in a folder of dist/, with the folder, and with slashes.
 * @param {string} folder
 */
function compiled(folder) {
  const names = fs.readdirSync(path.join(dist, folder)).filter((name) => name.endsWith('.js'));
  return names.map((name) => `${folder}/${name}`);
}

/** What another door than index.js may have as well: a second copy of anything with a state of its own would be another one. */
const stateless = new Set([
  'lib/handle/binding.js',
  'lib/node/define.js',
  'lib/errors/text.js',
  'lib/errors/errors.js',
  'lib/handle/load-error.js',
  'lib/errors/validators.js',
]);

/**
 * What a module asks for goes into its file, but for what has a file of its own: the doors, and the native part's loader
 * beside dist/.
 * @param {string} name
 */
function isInside(name) {
  return name.startsWith('lib/') || /^entry\/.+\//.test(name);
}

/**
 * The text of a module, asking the bundle for its neighbours.
 * @param {string} name
 * @param {string} entry in whose file it will stand
 * @param {(name: string, isLater: boolean) => void} found hears of each neighbour, and whether a function will ask for it
 */
function body(name, entry, found) {
  const folder = path.posix.dirname(name);
  return (
    fs
      .readFileSync(path.join(dist, name), 'utf8')
      .replace(/^"use strict";\n/, '')
      .replace(/^Object\.defineProperty\(exports, "__esModule", .*\n/m, '')
      // What is passed on: a descriptor inherits what Object.prototype has grown.
      .replace(/^(Object\.defineProperty\(exports, "\w+", \{) /gm, '$1 __proto__: null, ')
      .replace(
        /\brequire(\.resolve)?\(["'](\.[^"']+)["']\)/g,
        (
          _call,
          /** @type {string} */ member,
          /** @type {string} */ wanted,
          /** @type {number} */ at,
          /** @type {string} */ text,
        ) => {
          const neighbour = path.posix.join(folder, wanted);
          if (isInside(neighbour)) {
            // What a module asks for while it is loaded stands in lines that are not indented.
            found(neighbour, text[text.lastIndexOf('\n', at) + 1] === ' ');
            return `load(${JSON.stringify(neighbour)})`;
          }
          const outside = path.posix.relative(path.posix.dirname(entry), neighbour);
          return `require${member ?? ''}(${JSON.stringify(outside.startsWith('.') ? outside : `./${outside}`)})`;
        },
      )
  );
}

/**
 * The text of a door, behind the modules that it asks for, which are loaded when it does.
 * @param {string} entry
 */
function bundle(entry) {
  /** @type {Set<string>} */
  const atOnce = new Set();
  /** @type {Set<string>} */
  const later = new Set();
  /** @param {Set<string>} place for what a module asks for while it is loaded */
  const into = (place) => (/** @type {string} */ name, /** @type {boolean} */ isLater) => {
    if (entry !== 'index.js' && name.startsWith('lib/') && !stateless.has(name)) {
      throw new Error(`${entry} asks for ${name}, which is in index.js`);
    }
    (isLater ? later : place).add(name);
  };
  const text = body(entry, entry, into(atOnce));
  const sources = [];
  // A set is walked with what is added to it meanwhile.
  for (const name of atOnce) sources.push(source(name, body(name, entry, into(atOnce)), true));
  for (const name of later) if (!atOnce.has(name)) sources.push(source(name, body(name, entry, into(later)), false));
  return `'use strict';\n${sources.length > 0 ? loader(sources) : ''}${text}`;
}

/**
 * In parentheses, a function is compiled with the file instead of being looked through first and compiled when called.
 * @param {string} name
 * @param {string} text
 * @param {boolean} isCompiledAtOnce
 */
function source(name, text, isCompiledAtOnce) {
  const [open, close] = isCompiledAtOnce ? ['(', ')'] : ['', ''];
  return `${JSON.stringify(name)}: ${open}function (exports, module) {\n${text}\n}${close},\n`;
}

/** @param {string[]} sources */
function loader(sources) {
  return `const sources = {
${sources.join('')}};
const loaded = {};
function load(name) {
  let module = loaded[name];
  if (module === undefined) {
    module = loaded[name] = { exports: Object.defineProperty({}, '__esModule', { __proto__: null, value: true }) };
    sources[name](module.exports, module);
  }
  return module.exports;
}
`;
}

const doors = compiled('entry').concat('index.js');
const texts = doors.map((entry) => /** @type {const} */ ([entry, bundle(entry)]));
for (const [entry, text] of texts) fs.writeFileSync(path.join(dist, entry), text);
for (const name of fs.readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.js') && !doors.includes(name.replaceAll('\\', '/'))) fs.rmSync(path.join(dist, name));
}
