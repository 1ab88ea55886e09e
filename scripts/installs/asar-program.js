// A program: runs a file from inside an asar archive. Electron's `require` reads from archives; here a small one does, with the
// library that makes them. Addons come from the folder of unpacked files, as in Electron. Arguments: the archive, the file.
'use strict';

const { isBuiltin } = require('node:module');
const path = require('node:path');
const { compileFunction } = require('node:vm');

const [archive = '', entry = '', library = ''] = process.argv.slice(2);
const asar = require(library);

/** @type {Map<string, { exports: any }>} */
const loaded = new Map();

/** @param {string} name */
function exists(name) {
  try {
    const { files, link } = asar.statFile(archive, name, false);
    return files === undefined && link === undefined;
  } catch {
    return false;
  }
}

/** @param {string} name */
function text(name) {
  return asar.extractFile(archive, name).toString('utf8');
}

/**
 * @param {string} wanted
 * @param {string} folder of the file that wants it
 */
function resolve(wanted, folder) {
  if (wanted.startsWith('.')) return path.join(folder, wanted);
  const base = path.join('node_modules', wanted);
  const { exports, main } = JSON.parse(text(path.join(base, 'package.json')));
  return path.join(base, exports?.['.'].require.default ?? main);
}

/** @param {string} name in the archive */
function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  if (!exists(name)) {
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
  }
  const module = { exports: {} };
  loaded.set(name, module);
  const file = path.join(archive, name);
  if (name.endsWith('.node')) {
    process.dlopen(module, path.join(`${archive}.unpacked`, name));
    return module.exports;
  }
  const inner = (/** @type {string} */ wanted) =>
    isBuiltin(wanted) ? require(wanted) : load(resolve(wanted, path.dirname(name)));
  const names = ['exports', 'require', 'module', '__filename', '__dirname'];
  const run = compileFunction(text(name), names, { filename: file });
  Reflect.apply(run, module.exports, [module.exports, inner, module, file, path.dirname(file)]);
  return module.exports;
}

load(entry);
