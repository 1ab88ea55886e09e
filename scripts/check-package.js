// What tools of others say about the package as npm would publish it: publint about its manifest, and Are The Types Wrong?
// about each subpath, as every way of TypeScript to resolve modules finds it. It takes dist/ as it is.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');

/**
 * @param {string} command
 * @param {string[]} args
 * @param {'inherit' | 'ignore'} stdio
 */
function run(command, args, stdio) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio, shell: process.platform === 'win32' });
  if (error) throw error;
  return status === 0;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-package-'));
try {
  if (!run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], 'ignore')) {
    throw new Error('npm pack failed');
  }
  const archive = path.join(folder, String(fs.readdirSync(folder)[0]));
  const tools = [
    ['publint', '--strict', archive],
    ['attw', archive],
  ];
  const failed = tools.filter((tool) => !run('npx', ['--no-install', ...tool], 'inherit'));
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true });
}
