// What the cases of the install check have in common: a folder each, and a program that has to say its sentence.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('../platforms/cache.js');
const { attempt, run } = require('../platforms/commands.js');
const { SAID, write } = require('./programs.js');

/** @typedef {import('./packages.js').Packages} Packages */
/** @typedef {import('./programs.js').Program} Program */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string[]} tries each a line of the table
 * @property {(packages: Packages, tried: (what: string) => void) => void | Promise<void>} run throws if something fails; `tried` is called for each success
 */

/**
 * A folder that is there, with a package in it that depends on ferronet.
 * @param {string} name
 * @param {Packages} packages
 * @param {object} [more] of its manifest
 */
function project(name, { main }, more = {}) {
  const folder = cache.emptied('installs', name.replaceAll(/\W+/g, '-'));
  const manifest = {
    name: 'app',
    private: true,
    version: '1.0.0',
    dependencies: { ferronet: `file:${main}` },
    ...more,
  };
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  return folder;
}

/**
 * An empty folder outside of the project, for what has to do without it.
 * @param {string} cwd of the project
 * @param {string} name
 */
function outside(cwd, name) {
  return cache.emptied('installs', `${path.basename(cwd)}-${name}`);
}

/** @type {string | undefined} */
let installed;

/**
 * A project in which npm has installed ferronet, with the programs. It is installed once, and copied.
 * @param {string} name
 * @param {Packages} packages
 * @param {readonly Program[]} programs
 */
function installedProject(name, packages, programs) {
  if (installed === undefined) {
    installed = project('base', packages);
    const flags = ['--offline', '--no-audit', '--no-fund', '--no-package-lock'];
    run('npm', ['install', ...flags], { cwd: installed, log: 'install-base' });
  }
  const folder = project(name, packages);
  const links = { recursive: true, verbatimSymlinks: true };
  fs.cpSync(path.join(installed, 'node_modules'), path.join(folder, 'node_modules'), links);
  write(folder, programs);
  return folder;
}

/**
 * Runs a program that has to echo.
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} [env]
 */
function mustEcho(command, args, cwd, env) {
  const output = run(command, args, { cwd, log: 'install-echo', minutes: 1, ...(env && { env }) });
  if (!output.split(/\r?\n/).includes(SAID)) throw new Error(`${args.join(' ')} did not say "${SAID}":\n${output}`);
  return output;
}

/**
 * Runs a program that has to fail with the error of the loader.
 * @param {string} file
 * @param {string} cwd
 * @param {string} text to find in it
 */
function mustExplain(file, cwd, text) {
  const { status, output } = attempt(process.execPath, [file], { cwd, log: 'install-explained', minutes: 1 });
  if (status === 0 || !output.includes('A bundler has taken ferronet') || !output.includes(text)) {
    throw new Error(`${file} ended with ${status}, without "${text}":\n${output}`);
  }
}

module.exports = { installedProject, mustEcho, mustExplain, outside, project };
