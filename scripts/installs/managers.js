// Package managers: what each of them installs is loaded as CommonJS, as an ES module, from TypeScript and by the register.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('../platforms/commands.js');
const { installedProject, mustEcho, project } = require('./cases.js');
const { root } = require('./packages.js');
const { write } = require('./programs.js');
const { fileOf } = require('./tools.js');

/** @typedef {import('./cases.js').Case} Case */

const node = process.execPath;
const ALL = /** @type {const} */ (['app.cjs', 'app.mjs', 'app.ts', 'app.mts', 'registered.cjs']);

/**
 * Compiles the programs in TypeScript, by the compiler and with the typings of Node that are in this clone.
 * @param {string} cwd
 */
function compile(cwd) {
  const types = path.join(root, 'node_modules', '@types');
  const options = { module: 'node20', strict: true, skipLibCheck: false, types: ['node'], typeRoots: [types] };
  const config = { compilerOptions: { ...options, outDir: 'out' }, files: ['app.ts', 'app.mts'] };
  fs.writeFileSync(path.join(cwd, 'tsconfig.json'), JSON.stringify(config));
  run(node, [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', cwd], { cwd, log: 'install-tsc' });
}

/**
 * @param {string} cwd
 * @param {(what: string) => void} tried
 */
function runAll(cwd, tried) {
  mustEcho(node, ['app.cjs'], cwd);
  tried('CommonJS');
  mustEcho(node, ['app.mjs'], cwd);
  tried('ES module');
  compile(cwd);
  mustEcho(node, [path.join('out', 'app.js')], cwd);
  mustEcho(node, [path.join('out', 'app.mjs')], cwd);
  tried('TypeScript');
  for (const flag of ['--require', '--import']) mustEcho(node, [flag, 'ferronet/register', 'registered.cjs'], cwd);
  tried('register');
}

/**
 * The maps that are installed, and the sources that a stack names by them.
 * @param {string} cwd
 */
function mustHaveSources(cwd) {
  const program = "try { require('ferronet').connect({ port: -1 }) } catch ({ stack }) { console.log(stack) }";
  const stack = run(node, ['--enable-source-maps', '--eval', program], { cwd, log: 'install-maps' });
  if (!/lib[\\/]connect[\\/]\w+\.ts:\d+/.test(stack) || /dist[\\/]index\.js/.test(stack)) {
    throw new Error(`the stack names no sources:\n${stack}`);
  }
}

/** @type {Case} */
const npm = {
  name: 'npm',
  tries: ['CommonJS', 'ES module', 'TypeScript', 'register', 'source maps', 'doctor'],
  run(packages, tried) {
    const cwd = installedProject('npm', packages, ALL);
    runAll(cwd, tried);
    mustHaveSources(cwd);
    tried('source maps');
    // It says what is wrong by its status as well.
    run('npx', ['--no-install', 'ferronet', 'doctor'], { cwd, log: 'install-doctor' });
    tried('doctor');
  },
};

/**
 * @param {string} name
 * @param {string} settings of pnpm-workspace.yaml
 * @returns {Case}
 */
function pnpm(name, settings) {
  return {
    name,
    tries: ['CommonJS', 'ES module', 'TypeScript', 'register'],
    run(packages, tried) {
      const cli = fileOf('pnpm', 'pnpm', 'bin', 'pnpm.mjs');
      const cwd = project(name, packages);
      fs.writeFileSync(path.join(cwd, 'pnpm-workspace.yaml'), settings);
      write(cwd, ALL);
      run(node, [cli, 'install', '--offline'], { cwd, log: 'install-pnpm' });
      runAll(cwd, tried);
    },
  };
}

/**
 * Yarn's Plug'n'Play: no node_modules; packages stay archives, but for those that have to be files.
 * @param {string} name
 * @param {boolean} hasLoader for ES modules
 * @returns {Case}
 */
function yarn(name, hasLoader) {
  return {
    name,
    tries: hasLoader ? ['CommonJS', 'ES module', 'register'] : ['CommonJS', 'register'],
    run(packages, tried) {
      const cli = fileOf('yarn', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js');
      const cwd = project(name, packages);
      const lines = ['nodeLinker: pnp', `pnpEnableEsmLoader: ${hasLoader}`, 'enableTelemetry: false'];
      // A folder of its own: what is cached by checksum there may be an archive of an older build.
      const settings = [...lines, 'enableGlobalCache: false', 'enableNetwork: false', 'checksumBehavior: ignore'];
      fs.writeFileSync(path.join(cwd, '.yarnrc.yml'), `${settings.join('\n')}\n`);
      fs.writeFileSync(path.join(cwd, 'yarn.lock'), '');
      write(cwd, ALL);
      const env = { YARN_IGNORE_PATH: '1', CI: '' };
      run(node, [cli, 'install', '--no-immutable'], { cwd, env, log: 'install-yarn' });
      mustEcho(node, [cli, 'node', 'app.cjs'], cwd, env);
      tried('CommonJS');
      if (hasLoader) {
        mustEcho(node, [cli, 'node', 'app.mjs'], cwd, env);
        tried('ES module');
      }
      mustEcho(node, [cli, 'node', '--require', 'ferronet/register', 'registered.cjs'], cwd, env);
      tried('register');
    },
  };
}

/** @type {Case[]} */
const managers = [
  npm,
  pnpm('pnpm', 'packages: []\n'),
  // Nothing is in reach that is not named as a dependency.
  pnpm('pnpm, strict', 'packages: []\nhoist: false\nstrictPeerDependencies: true\n'),
  yarn('yarn pnp', false),
  yarn('yarn pnp, loader', true),
];

module.exports = { managers };
