// The tools that the install check tries the package with, as npm has them, in the cache outside the checkout. A new version is
// tried by writing it here.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');
const cache = require('../platforms/cache.js');
const { download, step } = require('../platforms/commands.js');

const versions = {
  pnpm: ['pnpm@12.21.0'],
  yarn: ['@yarnpkg/cli-dist@4.18.1'],
  esbuild: ['esbuild@0.28.2'],
  webpack: ['webpack@5.113.0'],
  rollup: ['rollup@4.68.8', '@rollup/plugin-commonjs@29.0.3', '@rollup/plugin-node-resolve@16.0.3'],
  vite: ['vite@8.4.0'],
  nft: ['@vercel/nft@1.11.5'],
  asar: ['@electron/asar@4.3.2'],
  postject: ['postject@1.0.0-alpha.6'],
  jest29: ['jest@29.7.0', 'jest-environment-jsdom@29.7.0'],
  jest30: ['jest@30.5.2', 'jest-environment-jsdom@30.5.2'],
  vitest: ['vitest@3.2.4'],
  sinon: ['@sinonjs/fake-timers@15.5.0'],
  mitm: ['mitm@1.7.3'],
  msw: ['msw@2.9.0'],
  nock: ['nock@15.0.6'],
};

/** @typedef {keyof typeof versions} Tool */

/**
 * The folder in whose node_modules a tool is.
 * @param {Tool} name
 * @throws {import('../platforms/commands.js').Unavailable} if npm cannot get it
 */
function folderOf(name) {
  const wanted = versions[name];
  return cache.once(path.join('tools', wanted.join('+').replaceAll('/', '-')), (made) => {
    step(`${wanted.join(', ')} of npm`);
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--prefix', made];
    download('npm', ['install', ...quiet, ...wanted], { cwd: made, log: `npm-${name}`, minutes: 5 });
  });
}

/**
 * A file of a tool.
 * @param {Tool} name
 * @param {string[]} parts below node_modules
 */
function fileOf(name, ...parts) {
  return path.join(folderOf(name), 'node_modules', ...parts);
}

/**
 * A module of a tool.
 * @param {Tool} name
 * @param {string} module
 */
function load(name, module) {
  return createRequire(path.join(folderOf(name), 'index.js'))(module);
}

/**
 * The packages of a tool, and of what it needs: where they are, and their names.
 * @param {Tool} name
 */
function modulesOf(name) {
  const folder = fileOf(name);
  const names = fs
    .readdirSync(folder)
    .filter((entry) => !entry.startsWith('.'))
    .flatMap((entry) =>
      entry.startsWith('@') ? fs.readdirSync(path.join(folder, entry)).map((each) => `${entry}/${each}`) : [entry],
    );
  return names.map((each) => ({ from: path.join(folder, each), to: each }));
}

module.exports = { fileOf, load, modulesOf };
