// What the Rust modules of a crate import, by the text of their paths, and what crates depend on.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** @typedef {import('./layers.js').Module} Module */

/** A path from the root of the crate, from the parent or from the module itself, and whether a group in braces follows. */
const PATHS = /\b(crate|super|self)(?=::)((?:::(?!\{)\w+)*)(::\{)?/g;

/**
 * Without comments, strings and the tests at a file's end, which may reach for what is above them.
 * @param {string} text
 */
function code(text) {
  const tests = text.search(/^#\[cfg\((?:test|all\(test\b[^\n]*)\)\]\n(?:#\[[^\n]*\]\n)*mod tests\b/m);
  const kept = tests < 0 ? text : text.slice(0, tests);
  return kept
    .replaceAll(/\/\/[^\n]*/g, '')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/"(?:[^"\\]|\\[\s\S])*"/g, '""');
}

/**
 * The items of a group of imports, such as `{a::{b, c}, d}`, as paths.
 * @param {string} text beginning behind the brace
 * @returns {string[]}
 */
function group(text) {
  /** @type {string[]} */
  const found = [];
  /** @type {string[]} */
  const prefixes = [];
  let item = '';
  const settle = () => {
    const name = item.trim().split(/\s/)[0];
    if (name) found.push([...prefixes, name].join('::'));
    item = '';
  };
  for (const letter of text) {
    if (letter === '{') {
      prefixes.push(item.trim().replace(/::$/, ''));
      item = '';
    } else if (letter === ',') settle();
    else if (letter === '}') {
      settle();
      if (prefixes.pop() === undefined) break;
    } else item += letter;
  }
  return found;
}

/**
 * The modules that a module has below it and imports from by their bare names.
 * @param {string} kept code of the module
 * @returns {string[]}
 */
function children(kept) {
  const declared = new Set(Array.from(kept.matchAll(/\bmod (\w+);/g), ([, name]) => String(name)));
  return Array.from(kept.matchAll(/\buse (\w+)::/g), ([, name]) => String(name)).filter((name) => declared.has(name));
}

/**
 * Paths from the root of the crate, as lists of names.
 * @param {string} text of the module
 * @param {string[]} own the module's own path
 * @returns {string[][]}
 */
function paths(text, own) {
  const kept = code(text);
  const named = Array.from(kept.matchAll(PATHS)).flatMap((found) => {
    const [whole, start, rest] = /** @type {[string, string, string]} */ (/** @type {unknown} */ (found));
    let from = start === 'crate' ? [] : start === 'super' ? own.slice(0, -1) : own;
    const names = rest.split('::').filter(Boolean);
    while (names[0] === 'super') {
      names.shift();
      from = from.slice(0, -1);
    }
    const last = whole.endsWith('{') ? group(kept.slice(found.index + whole.length)) : [''];
    return last.map((item) =>
      from.concat(
        names,
        item.split('::').filter((name) => name && name !== 'self'),
      ),
    );
  });
  return named.concat(children(kept).map((child) => own.concat(child)));
}

/**
 * @param {string} root the folder of the package
 * @param {string} source of the crate, inside it
 * @returns {Module[]} by their paths from `source`: that of a `mod.rs` is its folder, that of `lib.rs` is `lib`. A path
 * leads to the module that is furthest along it, and what no module is on it to the root of the crate.
 */
function modules(root, source) {
  const files = fs
    .readdirSync(path.join(root, source), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.rs'));
  const names = new Map(files.map((file) => [file.replace(/(?:\/mod)?\.rs$/, ''), file]));
  /** @param {string[]} wanted */
  const moduleOn = (wanted) => {
    for (let length = wanted.length; length > 0; length -= 1) {
      const name = wanted.slice(0, length).join('/');
      if (names.has(name)) return name;
    }
    return 'lib';
  };
  return Array.from(names, ([name, file]) => {
    const text = fs.readFileSync(path.join(root, source, file), 'utf8');
    const own = name === 'lib' ? [] : name.split('/');
    const imports = new Set(paths(text, own).map(moduleOn));
    imports.delete(name);
    return { name, imports: [...imports] };
  });
}

/**
 * @param {string} root the folder of the package
 * @param {string} folder of the crates, inside it
 * @returns {Module[]} by their folders, with the crates of this workspace that they depend on in any way
 */
function crates(root, folder) {
  const names = fs.readdirSync(path.join(root, folder)).sort();
  return names.map((name) => {
    const manifest = fs.readFileSync(path.join(root, folder, name, 'Cargo.toml'), 'utf8');
    const found = manifest.matchAll(/^ferronet-(\w+)(?:\.workspace)? *=/gm);
    return { name, imports: Array.from(found, ([, wanted]) => String(wanted)) };
  });
}

module.exports = { crates, modules };
