// Bun and Deno, as their packages of npm have them, in the cache outside the checkout. The benchmark asks here as well.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const cache = require('../platforms/cache.js');
const { Unavailable, download, step } = require('../platforms/commands.js');

/**
 * @typedef {'bun' | 'deno'} Name
 *
 * @typedef {object} Runtime
 * @property {string} version what is tried and measured, and what the list of differences is about
 * @property {string} scope of the packages that bring the program itself, one a platform
 * @property {string[]} places of the program in such a package, and in the one that its installation puts it into
 * @property {string[]} run the arguments that run a file, which follows
 */

const windows = process.platform === 'win32' ? '.exe' : '';

/** @type {Record<Name, Runtime>} */
const runtimes = {
  bun: { version: '1.4.5', scope: '@oven', places: ['bun/bin/bun.exe', `bin/bun${windows}`], run: ['run'] },
  deno: {
    version: '2.9.6',
    scope: '@deno',
    places: [`deno/deno${windows}`, `deno${windows}`],
    run: ['run', '--allow-all', '--no-prompt'],
  },
};

/** @param {string} file */
function starts(file) {
  return fs.existsSync(file) && spawnSync(file, ['--version']).status === 0;
}

/**
 * The real program, since what is measured must not be a wrapper. Where npm runs no installation scripts, it stays in the
 * package of the platform.
 * @param {Runtime} runtime
 * @param {string} folder
 */
function programIn({ scope, places }, folder) {
  const [installed = '', unpacked = ''] = places;
  const packages = path.join(folder, 'node_modules');
  const scoped = path.join(packages, scope);
  const platforms = fs.existsSync(scoped) ? fs.readdirSync(scoped).map((name) => path.join(scoped, name)) : [];
  return [path.join(packages, installed), ...platforms.map((name) => path.join(name, unpacked))].find(starts);
}

/**
 * The file of a runtime's program.
 * @param {Name} name
 * @throws {Unavailable} if it cannot be had from npm, or does not start here
 */
function programOf(name) {
  const runtime = runtimes[name];
  const wanted = `${name}@${runtime.version}`;
  const folder = cache.once(path.join('runtimes', wanted), (made) => {
    step(`${wanted} of npm`);
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock'];
    download('npm', ['install', ...quiet, '--prefix', made, wanted], { cwd: made, log: `npm-${name}`, minutes: 5 });
    if (!programIn(runtime, made)) throw new Unavailable(`${wanted} does not start on this machine`);
  });
  return String(programIn(runtime, folder));
}

module.exports = { programOf, runtimes };
