// A process that runs while its package is updated, or removed, goes on with the version that it has loaded.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..');
const addon = readdirSync(root).filter((name) => /^ferronet\..+\.node$/.test(name));

const updates: Record<string, string> = {
  'has removed the package': 'fs.rmSync(folder, { recursive: true })',
  'has put another version there': "fs.writeFileSync(folder + '/index.later.js', 'module.exports = () => ({});')",
  'is writing its files': "fs.writeFileSync(folder + '/index.later.js', 'module.exports = (load) => ({')",
};

for (const [what, update] of Object.entries(updates)) {
  test(`an update ${what}: what was not used before works`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ferronet-updated-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const copy = join(folder, 'node_modules', 'ferronet');
    for (const part of ['package.json', 'dist', ...addon])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    // A handle that a program has written, and a server of Node's as a handle: few programs have either.
    const program = `
      const fs = require('node:fs');
      const net = require('ferronet');
      const folder = require('node:path').dirname(require.resolve('ferronet'));
      ${update};
      const handle = { readStart: () => 0, readStop: () => 0, close: (closed) => setImmediate(closed) };
      const socket = new net.Socket({ handle });
      socket.on('close', () => {
        const theirs = require('node:net').createServer().listen(0, '127.0.0.1', () => {
          const server = net.createServer().listen(theirs, () => {
            console.log('listens');
            server.close();
          });
        });
      });
      socket.destroy();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
    t.is(stdout, 'listens\n', stderr);
  });
}
