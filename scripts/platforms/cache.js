// The folder outside the checkout where everything is kept that the platform command needs and makes: tools, Nodes,
// compiled Rust, the trees in which the suite runs. Deleting it costs a download and a build, nothing else.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const caches = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
const root = path.resolve(process.env['FERRONET_PLATFORMS_CACHE'] || path.join(caches, 'ferronet-platforms'));

/**
 * A path in the cache.
 * @param {string[]} parts
 */
function at(...parts) {
  return path.join(root, ...parts);
}

/**
 * A folder that is made once. It has its name only when it is complete, so that an interrupted run leaves nothing half done.
 * @param {string} name which changes with everything that the content depends on
 * @param {(folder: string) => void} make fills the folder, which is there and empty
 */
function once(name, make) {
  const folder = at(name);
  if (fs.existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.mkdirSync(unfinished, { recursive: true });
  make(unfinished);
  fs.renameSync(unfinished, folder);
  return folder;
}

/**
 * A folder that is there and empty.
 * @param {string[]} parts
 */
function emptied(...parts) {
  const folder = at(...parts);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

module.exports = { at, emptied, once };
