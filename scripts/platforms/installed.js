// What a user does: the root package and the one of a target, packed as for publishing, installed together in an empty
// folder by npm with no Rust in reach, and run there on that target's Node.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');
const { root } = require('./build.js');
const { run, step, where } = require('./commands.js');
const { onNode } = require('./suite.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./nodes.js').Node} Node */

/** @typedef {{ passed: number, failed: string[] }} Result */

/**
 * @param {string} folder
 * @param {string} into
 * @param {string[]} flags
 */
function packed(folder, into, flags) {
  run('npm', ['pack', '--silent', '--pack-destination', into, ...flags], { cwd: folder, log: 'npm-pack' });
}

/**
 * An empty folder with both packages in its node_modules.
 * @param {Target} target
 * @param {string} addon
 */
function install(target, addon) {
  const own = cache.emptied('packages', target.name);
  fs.cpSync(path.join(root, 'npm', target.name), path.join(own, 'package'), { recursive: true });
  fs.copyFileSync(addon, path.join(own, 'package', path.basename(addon)));
  // dist/ is what was built just now; packing would build it anew.
  packed(root, own, ['--ignore-scripts']);
  packed(path.join(own, 'package'), own, []);
  fs.rmSync(path.join(own, 'package'), { recursive: true });

  const folder = cache.emptied('installed', target.name);
  // As a published root package names those of its platforms: npm asks their `os`, `cpu` and `libc`, and leaves one out.
  const archives = fs.readdirSync(own).map((file) => path.join(own, file));
  const names = archives.map((file) => [
    path.basename(file).includes(target.name) ? `ferronet-${target.name}` : 'ferronet',
    `file:${file}`,
  ]);
  const manifest = { private: true, optionalDependencies: Object.fromEntries(names) };
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  const [os, cpu, libc] = target.name.split('-');
  const platform = [
    `--os=${os}`,
    `--cpu=${cpu}`,
    ...(os === 'linux' ? [`--libc=${libc === 'gnu' ? 'glibc' : libc}`] : []),
  ];
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock'];
  // With nothing but Node in reach, whatever an installer would want to run is missing.
  const alone = cache.emptied('node-alone');
  fs.symlinkSync(process.execPath, path.join(alone, 'node'));
  run(where('npm') ?? 'npm', ['install', ...quiet, ...platform], {
    cwd: folder,
    env: { PATH: alone },
    log: `install-${target.name}`,
  });
  return folder;
}

/**
 * Runs the demo on what is installed.
 * @param {Target} target
 * @param {string} addon
 * @param {Node} node
 * @returns {Result}
 */
function installed(target, addon, node) {
  step(`${target.name}: npm pack, npm install in an empty folder, run on Node ${node.version}`);
  const cwd = install(target, addon);
  const name = 'demo.js';
  fs.copyFileSync(path.join(root, 'scripts', name), path.join(cwd, name));
  const options = { cwd, log: `installed-${target.name}-${node.version}`, minutes: 5 };
  const { status, output } = onNode(target, node, [name], options);
  const passed = [...output.matchAll(/^\d+ connections, .* sent and received/gm)].length;
  /** @type {string[]} */
  const failed = [];
  if (status !== 0 || passed === 0) failed.push(`ended with ${status}: ${output.trim()}`);
  return { passed, failed };
}

module.exports = { installed };
