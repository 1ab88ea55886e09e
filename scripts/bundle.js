// Puts the compiled modules into one file for each entry point of the package, with a source map: what `require` costs is
// finding and opening files, far more than reading them.
//
// Each module stays a function of its own. So the names in it stay what they are, what a function requires is loaded when
// the function runs, and nothing depends on Object.prototype. Bundlers that merge modules into one scope (esbuild 0.28 and
// rolldown 1.3 were tried) rename what collides, restore `name` by property descriptors that inherit from
// Object.prototype, as do their helpers for exports, and rolldown moves what lazy modules require of Node to the top. Their
// output is not faster to load.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { encodedMap, FlattenMap } = require('@jridgewell/trace-mapping');

const dist = path.join(__dirname, '..', 'dist');

/**
 * The files in a folder of dist/, with the folder, and with slashes.
 * @param {string} folder
 */
function compiled(folder) {
  const names = fs.readdirSync(path.join(dist, folder)).filter((name) => name.endsWith('.js'));
  return names.map((name) => `${folder}/${name}`);
}

/** The modules that may be in several bundles: they hold no state, so it does not matter which copy is used. */
const stateless = new Set([
  'lib/handle/binding.js',
  'lib/node/define.js',
  'lib/errors/text.js',
  'lib/errors/errors.js',
  'lib/handle/load-error.js',
  'lib/errors/validators.js',
]);

/**
 * Whether a module goes into the bundle of those that require it. The entry points, and the loader of the native part
 * beside dist/, are files of their own.
 * @param {string} name
 */
function isInside(name) {
  return name.startsWith('lib/') || /^entry\/.+\//.test(name);
}

/**
 * The text of a module, which loads its neighbours from the bundle. Every line stays on its line, for the source map.
 * @param {string} name
 * @param {string} entry the bundle
 * @param {(name: string, isLater: boolean) => void} found called for each neighbour; `isLater` if a function requires it
 */
function body(name, entry, found) {
  const folder = path.posix.dirname(name);
  return (
    fs
      .readFileSync(path.join(dist, name), 'utf8')
      .replace(/^"use strict";$/m, '')
      .replace(/^\/\/# sourceMappingURL=.*\n?/m, '')
      .replace(/^Object\.defineProperty\(exports, "__esModule", .*$/m, '')
      // Re-exports: without a prototype of its own the descriptor would inherit from Object.prototype.
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
            // What a module requires while it is loaded is on lines that are not indented.
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
 * `exports` under a name as long: `import` takes every `exports.name =` in the text of a CommonJS file for an export of it.
 * @param {string} text
 */
function withoutExports(text) {
  return text.replace(/(?<![.\w$])exports(?=[.,])/g, 'members');
}

/** A file that grows by texts, and remembers at which of its lines a module begins. */
class Bundle {
  text = '';
  #line = 0;
  /** @type {{ offset: { line: number, column: number }, map: object }[]} */
  #sections = [];

  /** @param {string} text whole lines */
  add(text) {
    this.text += text;
    this.#line += text.split('\n').length - 1;
  }

  /**
   * @param {string} name of a module
   * @param {string} text its lines
   * @param {string} entry the bundle
   */
  addModule(name, text, entry) {
    const map = JSON.parse(fs.readFileSync(path.join(dist, `${name}.map`), 'utf8'));
    const [from, to] = [path.posix.dirname(name), path.posix.dirname(entry)];
    map.sources = map.sources.map((/** @type {string} */ source) =>
      path.posix.relative(to, path.posix.join(from, source)),
    );
    this.#sections.push({ offset: { line: this.#line, column: 0 }, map });
    this.add(text);
  }

  /** @param {string} entry */
  map(entry) {
    // Sections are in the standard, but not every tool knows them.
    const sections = /** @type {any} */ ({ version: 3, sections: this.#sections });
    const { version, sources, sourcesContent, names, mappings } = encodedMap(new FlattenMap(sections));
    return { version, file: path.posix.basename(entry), sources, sourcesContent, names, mappings };
  }
}

const LOADER = `const loaded = {};
function load(name) {
  let module = loaded[name];
  if (module === undefined) {
    module = loaded[name] = Object.defineProperty({}, '__esModule', { __proto__: null, value: true });
    sources[name](module);
  }
  return module;
}
`;

/**
 * An entry point, behind the modules that it requires, directly or not.
 * @param {string} entry
 */
function bundle(entry) {
  /** @type {Set<string>} */
  const atOnce = new Set();
  /** @type {Set<string>} */
  const later = new Set();
  /** @param {Set<string>} place for what a module requires while it is loaded */
  const into = (place) => (/** @type {string} */ name, /** @type {boolean} */ isLater) => {
    if (entry !== 'index.js' && name.startsWith('lib/') && !stateless.has(name)) {
      throw new Error(`${entry} requires ${name}, which has a state and is in index.js`);
    }
    (isLater ? later : place).add(name);
  };
  const text = body(entry, entry, into(atOnce));
  const file = new Bundle();
  file.add(`'use strict';\n`);
  if (atOnce.size + later.size > 0) {
    file.add('const sources = {\n');
    // Both sets grow while they are walked. In parentheses, a function is compiled with the file and not when it is called.
    for (const name of atOnce) addFunction(file, name, body(name, entry, into(atOnce)), entry, ['(', ')']);
    for (const name of later) {
      if (!atOnce.has(name)) addFunction(file, name, body(name, entry, into(later)), entry, ['', '']);
    }
    file.add(`};\n${LOADER}`);
  }
  file.addModule(entry, text, entry);
  file.add(`//# sourceMappingURL=${path.posix.basename(entry)}.map\n`);
  return file;
}

/**
 * @param {Bundle} file
 * @param {string} name
 * @param {string} text
 * @param {string} entry
 * @param {readonly [string, string]} parentheses around the function
 */
function addFunction(file, name, text, entry, [open, close]) {
  file.add(`${JSON.stringify(name)}: ${open}function (members) {\n`);
  file.addModule(name, withoutExports(text), entry);
  file.add(`}${close},\n`);
}

const entries = compiled('entry').concat('index.js');
const bundles = entries.map((entry) => /** @type {const} */ ([entry, bundle(entry)]));
for (const name of fs.readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (/\.js(\.map)?$/.test(name)) fs.rmSync(path.join(dist, name));
}
for (const [entry, file] of bundles) {
  fs.writeFileSync(path.join(dist, entry), file.text);
  fs.writeFileSync(path.join(dist, `${entry}.map`), `${JSON.stringify(file.map(entry))}\n`);
}
