// A program in one file: Node's single executable application, and Electron's archive.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Unavailable, run } = require('../platforms/commands.js');
const { installedProject, mustEcho, outside } = require('./cases.js');
const { fileOf, load } = require('./tools.js');

/** @typedef {import('./cases.js').Case} Case */

const node = process.execPath;

/** Node's name for the place in its own file where the program goes. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * The program with ferronet in one file, and the addon in another one beside it, which is loaded from there: Node's `require` of
 * an executable application knows its own modules only.
 * @type {Case}
 */
const sea = {
  name: 'Node SEA',
  tries: ['addon beside the executable'],
  async run(packages, tried) {
    if (process.platform !== 'linux') throw new Unavailable('it is tried on Linux, where no signature is in the way');
    const { build } = load('esbuild', 'esbuild');
    const postject = fileOf('postject', 'postject', 'dist', 'cli.js');
    const cwd = installedProject('sea', packages, ['app.cjs']);
    await build({
      absWorkingDir: cwd,
      entryPoints: ['app.cjs'],
      outfile: 'out/app.cjs',
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
      loader: { '.node': 'copy' },
      banner: { js: "require = require('node:module').createRequire(__filename);" },
    });
    const config = { main: 'out/app.cjs', output: 'out/app.blob', disableExperimentalSEAWarning: true };
    fs.writeFileSync(path.join(cwd, 'sea.json'), JSON.stringify(config));
    run(node, ['--experimental-sea-config', 'sea.json'], { cwd, log: 'install-sea' });
    const program = path.join(cwd, 'out', 'app');
    fs.copyFileSync(node, program);
    fs.chmodSync(program, 0o755);
    const blob = path.join('out', 'app.blob');
    run(node, [postject, program, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE], { cwd, log: 'install-postject' });
    // Nothing of the project is in reach.
    const alone = outside(cwd, 'moved');
    for (const file of fs.readdirSync(path.join(cwd, 'out'))) {
      if (file === 'app' || file.endsWith('.node')) fs.renameSync(path.join(cwd, 'out', file), path.join(alone, file));
    }
    mustEcho(path.join(alone, 'app'), [], alone);
    // A whole Node.
    fs.rmSync(alone, { recursive: true });
    tried('addon beside the executable');
  },
};

/** @type {Case} */
const asarCase = {
  name: 'asar',
  tries: ['addon unpacked'],
  async run(packages, tried) {
    const library = fileOf('asar', '@electron', 'asar', 'lib', 'asar.js');
    const asar = await import(pathToFileURL(library).href);
    const cwd = installedProject('asar', packages, ['app.cjs']);
    const alone = outside(cwd, 'moved');
    const archive = path.join(alone, 'app.asar');
    // By the name alone: `**` skips folders whose names begin with a dot, and the cache may be in one.
    await asar.createPackageWithOptions(cwd, archive, { unpack: '*.node' });
    mustEcho(node, [path.join(__dirname, 'asar-program.js'), archive, 'app.cjs', library], alone);
    tried('addon unpacked');
  },
};

module.exports = { archives: [sea, asarCase] };
