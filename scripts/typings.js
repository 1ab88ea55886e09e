// Leaves in dist/ the typings that a program can reach from those of the entry points. The compiler writes one file a module.
//
// They are not rolled up into one file an entry. The tools for it (rollup-plugin-dts 6.5 and rolldown-plugin-dts 0.23 were
// tried) make `type Socket = Socket` of what the namespace behind `export =` takes from a module, API Extractor has no
// `export =`, and each needs a TypeScript before 7 beside the compiler.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');

/**
 * Without what is internal and has passed `stripInternal`.
 * @param {string} text
 */
function withoutInternals(text) {
  return (
    text
      // Members of a type that was inferred.
      .replace(/^ +\/\*\* @internal \*\/\n.*;\n/gm, '')
      // What a class implements adds nothing to its type, and may ask for members that were internal.
      .replace(/^((?:export )?declare class .*) implements .* \{$/gm, '$1 {')
  );
}

/**
 * Without the imports that are left of it, and those for their effect.
 * @param {string} text
 */
function withoutUnused(text) {
  /** @param {string} name */
  const isUsed = (name) => text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length !== 1;
  return text
    .replace(/^import '.*';\n/gm, '')
    .replace(/^import (?:type )?\* as (\w+) from .*;\n/gm, (line, name) => (isUsed(name) ? line : ''))
    .replace(/^import (type )?\{ (.*) \} from (.*);\n/gm, (_line, type = '', list, from) => {
      const used = list.split(', ').filter((/** @type {string} */ each) => isUsed(each.replace(/^type |^.* as /, '')));
      return used.length === 0 ? '' : `import ${type}{ ${used.join(', ')} } from ${from};\n`;
    });
}

/**
 * The typings that a file of typings names.
 * @param {string} file
 */
function neighbours(file) {
  const text = fs.readFileSync(file, 'utf8');
  const names = text.matchAll(/(?:\bfrom |\bimport\(|\brequire\()['"](\.[^'"]+)\.js['"]/g);
  return Array.from(names, ([, name]) => path.join(path.dirname(file), `${name}.d.ts`));
}

/** @param {string[]} entries */
function reachable(entries) {
  const found = new Set(entries);
  // A set is walked with what is added to it meanwhile.
  for (const file of found) for (const each of neighbours(file)) found.add(each);
  return found;
}

const compiled = fs
  .readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .map((name) => path.join(dist, name))
  .filter((file) => file.endsWith('.d.ts'));
const entries = compiled.filter((file) =>
  fs.existsSync(path.join(path.dirname(file), `${path.basename(file, '.d.ts')}.js`)),
);

for (const file of compiled) {
  fs.writeFileSync(file, withoutUnused(withoutInternals(fs.readFileSync(file, 'utf8'))));
}
// The typings of the native part are named by their path from the sources: seen from dist/lib/, they are in dist/.
fs.copyFileSync(path.join(root, 'binding.d.ts'), path.join(dist, 'binding.d.ts'));
const wanted = reachable(entries);
for (const file of [...compiled, path.join(dist, 'binding.d.ts')]) if (!wanted.has(file)) fs.rmSync(file);
const folders = fs.readdirSync(dist, { recursive: true, withFileTypes: true }).filter((each) => each.isDirectory());
for (const { parentPath, name } of folders) {
  const folder = path.join(parentPath, name);
  if (fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
}
