// Puts the compiled modules into one file for each entry point of the package, with a source map, since finding and opening a
// file costs as much as compiling 30 KB. What only functions require is in a second file, which is read when the first
// of it is wanted: V8 scans all that is in a file.
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
  'lib/handle/addon.js',
  'lib/handle/binding.js',
  'lib/node/define.js',
  'lib/node/descriptors.js',
  'lib/node/empty.js',
  'lib/node/modules.js',
  'lib/errors/text.js',
  'lib/errors/errors.js',
  'lib/handle/load-error.js',
  'lib/handle/node-classes.js',
  'lib/errors/validators.js',
]);

/**
 * Modules that few programs need, and that do nothing when they are loaded but define things. What needs them is a call of
 * the program, never an event: a process that has no descriptors left could not read the second file then.
 */
const rare = new Set([
  'lib/handle/descriptor.js',
  'lib/handle/inherited-pipe.js',
  'lib/server/sent-connections.js',
  'lib/stream/quiesce.js',
  'lib/stream/unread.js',
]);

/**
 * Whether a module goes into the bundle of those that require it. The entry points are files of their own.
 * @param {string} name
 */
function isInside(name) {
  return name.startsWith('lib/') || /^entry\/.+\//.test(name);
}

/**
 * Has the rare modules required where they are used. They must not be used while the module is loaded.
 * @param {string} text of a module
 * @param {string} folder of it
 */
function withRareLater(text, folder) {
  for (const [line, variable, call, wanted] of text.matchAll(/^const (\w+) = (require\("(\.[^"]+)"\));$/gm)) {
    if (!rare.has(path.posix.join(folder, String(wanted)))) continue;
    // In parentheses: `new require('…').Name()` makes an instance of what `require` is.
    text = text.replace(line, '').replaceAll(new RegExp(`\\b${variable}\\b`, 'g'), `(${String(call)})`);
  }
  return text;
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
    withRareLater(fs.readFileSync(path.join(dist, name), 'utf8'), folder)
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

/** @param {string} source of a module */
const loader = (source) => `const loaded = {};
function load(name) {
  let module = loaded[name];
  if (module === undefined) {
    module = loaded[name] = Object.defineProperty({}, '__esModule', { __proto__: null, value: true });
    (${source})(module);
  }
  return module;
}
`;

/**
 * Loads the second file of an entry point. Its text is read with the first one, which costs little beside compiling it: when
 * it is first needed, a process may have no descriptor left, and an update may have removed the file or replaced it by that of
 * another version. In the bundle of a program it is no file.
 * @param {string} name
 */
const readsSecond = (name) => `let rest;
// A function: in a bundle that is an ES module there is no __dirname.
const secondFile = () => require('node:path').join(__dirname, '${name}');
function readSecond() {
  try {
    return require('node:fs').readFileSync(secondFile(), 'utf8');
  } catch {
    return undefined;
  }
}
const secondText = readSecond();
function second() {
  // Node compiles a file that it finds with the hooks and the cache of the program.
  if (secondText === undefined || readSecond() === secondText) return require('./${name}');
  const file = secondFile();
  const compiled = new module.constructor(file, module);
  compiled.paths = module.paths;
  compiled._compile(secondText, file);
  return compiled.exports;
}
`;

/**
 * The name of the second file of an entry point.
 * @param {string} entry
 */
function laterThan(entry) {
  return entry.replace(/\.js$/, '.later.js');
}

/**
 * An entry point, behind the modules that it requires, directly or not, and the modules that are loaded later.
 * @param {string} entry
 * @returns {(readonly [string, Bundle])[]} files, by name
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
  const second = new Bundle();
  file.add(`'use strict';\n`);
  if (atOnce.size + later.size > 0) {
    file.add('const sources = {\n__proto__: null,\n');
    // Both sets grow while they are walked. In parentheses, a function is compiled with the file and not when it is called.
    for (const name of atOnce) addFunction(file, name, body(name, entry, into(atOnce)), entry, ['(', ')']);
    second.add(`'use strict';\nmodule.exports = (load) => ({\n`);
    for (const name of later) {
      if (!atOnce.has(name)) addFunction(second, name, body(name, entry, into(later)), entry, ['', '']);
    }
    second.add('});\n');
    file.add('};\n');
    const name = path.posix.basename(laterThan(entry));
    if (later.size === 0) file.add(loader('sources[name]'));
    else file.add(`${readsSecond(name)}${loader(`sources[name] ?? (rest ??= second()(load))[name]`)}`);
  }
  file.addModule(entry, text, entry);
  return [[entry, file], ...(later.size > 0 ? [/** @type {const} */ ([laterThan(entry), second])] : [])];
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

const bundles = compiled('entry').concat('index.js').flatMap(bundle);
for (const name of fs.readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (/\.js(\.map)?$/.test(name)) fs.rmSync(path.join(dist, name));
}
for (const [name, file] of bundles) {
  file.add(`//# sourceMappingURL=${path.posix.basename(name)}.map\n`);
  fs.writeFileSync(path.join(dist, name), file.text);
  fs.writeFileSync(path.join(dist, `${name}.map`), `${JSON.stringify(file.map(name))}\n`);
}
