// Leaves in dist/ the typings of the entry points alone: that of the package is written by hand (typings/index.d.ts), and the
// others, which the compiler writes, name its types and Node's. So nothing of lib/ is in what a program compiles against.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');

const { exports: subpaths } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/**
 * The modules that typings get types from.
 * @param {string} text
 */
function sources(text) {
  const names = text.matchAll(/^(?:import|export) .*?(?:from |require\(|import )'([^']+)'|\bimport\("([^"]+)"\)/gm);
  return Array.from(names, ([, name, inside]) => name ?? inside ?? '');
}

fs.copyFileSync(path.join(root, 'typings', 'index.d.ts'), path.join(dist, 'index.d.ts'));
/** @type {Set<string>} */
const wanted = new Set(
  Array.from(JSON.stringify(subpaths).matchAll(/"\.\/dist\/([^"]+\.d\.ts)"/g), ([, name = '']) => name),
);
for (const name of fs.readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.d.ts') && !wanted.has(name.replaceAll(path.sep, '/'))) fs.rmSync(path.join(dist, name));
}
for (const name of wanted) {
  const others = sources(fs.readFileSync(path.join(dist, name), 'utf8')).filter(
    (each) => each !== '../index.js' && !each.startsWith('node:'),
  );
  if (others.length > 0) throw new Error(`dist/${name} takes types from ${others.join(', ')}, which is not shipped`);
}
const folders = fs.readdirSync(dist, { recursive: true, withFileTypes: true }).filter((each) => each.isDirectory());
for (const { parentPath, name } of folders) {
  const folder = path.join(parentPath, name);
  if (fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
}
