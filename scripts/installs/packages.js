// Both packages as npm would publish them: the root package, which names that of this platform among its optional
// dependencies, and that one with the addon that was built here.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('../platforms/cache.js');
const { run, step } = require('../platforms/commands.js');
const { published } = require('../published-manifest.js');

/** @typedef {{ main: string, platform: string, name: string }} Packages archives, and the name of the one of the platform */

const root = path.join(__dirname, '..', '..');

/**
 * @param {string} folder
 * @param {string} into
 * @returns {string} the archive
 */
function pack(folder, into) {
  const flags = ['--ignore-scripts', '--json', '--pack-destination', into];
  const output = run('npm', ['pack', '--silent', ...flags], { cwd: folder, log: 'install-pack' });
  const [{ filename }] = JSON.parse(output.slice(output.indexOf('[')));
  return path.join(into, filename);
}

/** @returns {Packages} */
function packages() {
  step('npm pack: ferronet, and the package of this platform');
  const addon = fs.readdirSync(root).find((file) => /^ferronet\..+\.node$/.test(file));
  if (addon === undefined) throw new Error('there is no addon: npm run build makes it');
  const target = addon.slice('ferronet.'.length, -'.node'.length);
  const into = cache.emptied('installs', 'packages');

  const platform = path.join(into, target);
  fs.cpSync(path.join(root, 'npm', target), platform, { recursive: true });
  fs.copyFileSync(path.join(root, addon), path.join(platform, addon));
  const archive = pack(platform, into);

  const main = path.join(into, 'main');
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const file of ['README.md', 'LICENSE', ...manifest.files]) {
    fs.cpSync(path.join(root, file), path.join(main, file), { recursive: true });
  }
  const name = `ferronet-${target}`;
  // A release has the version there. From a file it is installed without a registry, by the same edge between the two.
  const released = { ...published(manifest), optionalDependencies: { [name]: `file:${archive}` } };
  fs.writeFileSync(path.join(main, 'package.json'), JSON.stringify(released, undefined, 2));
  return { main: pack(main, into), platform: archive, name };
}

module.exports = { packages, root };
