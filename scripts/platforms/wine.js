// Node for Windows under Wine 10, in a Debian of its own in the cache: Wine wants files at fixed places and many libraries.
// Wine is not Windows: error codes differ now and then, and it lets a name of a pipe be listened on twice.
'use strict';

const path = require('node:path');
const cache = require('./cache.js');
const { Unavailable, attempt, need, run, step } = require('./commands.js');
const debian = require('./debian.js');

// A namespace of our own for what is mounted; the cache has the same path inside.
const INSIDE = `
system="$1"; cache="$2"; shift 2
mkdir -p "$system$cache"
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
mount --rbind "$cache" "$system$cache"
exec chroot "$system" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb "$@"
`;

/**
 * A command inside the Debian that has Wine.
 * @param {string} system
 * @param {string[]} words
 */
function inside(system, words) {
  const flags = ['--mount', '--propagation', 'private'];
  return ['unshare', ...flags, 'sh', '-ec', INSIDE, 'sh', system, cache.at('.'), ...words];
}

/** A Debian with Wine in it. */
function system() {
  if (process.getuid?.() !== 0) throw new Unavailable('Wine runs in a chroot, and only root may make one');
  need('unshare', 'Wine runs in a mount namespace');
  return cache.once('wine/system', (made) => {
    const folder = debian.unpacked('debootstrap', ['debootstrap']);
    const program = path.join(folder, 'usr', 'sbin', 'debootstrap');
    step(`a Debian ${debian.RELEASE} for Wine (1.5 GB)`);
    const env = { DEBOOTSTRAP_DIR: path.join(folder, 'usr', 'share', 'debootstrap') };
    const args = [program, '--variant=minbase', debian.RELEASE, made, debian.mirror()];
    run('sh', args, { env, log: 'wine-system' });
    const install = 'apt-get update -q && apt-get install -y -q --no-install-recommends wine64 && apt-get clean';
    const [command, ...rest] = inside(made, ['env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', install]);
    run(String(command), rest, { log: 'wine-install' });
  });
}

/**
 * A Windows program, with files for its streams: Node does not take the pipes of Unix under Wine.
 * @param {string[]} words the program's name as Wine takes it, and its arguments
 * @param {{ cwd: string, log: string, minutes: number }} options
 */
function wine(words, options) {
  const start = 'cd "$1" && shift && exec /usr/lib/wine/wine64 "$@"';
  const environment = [`WINEPREFIX=${cache.at('wine', 'prefix')}`, 'WINEDEBUG=-all'];
  const own = ['env', ...environment, 'sh', '-c', start, 'sh', options.cwd, ...words];
  const [command, ...rest] = inside(system(), own);
  return attempt(String(command), rest, options);
}

/** Sees to the folder that Wine keeps its Windows in. */
function prefix() {
  cache.once('wine/ready', () => {
    step('starting Wine for the first time');
    const cwd = cache.at('wine');
    const made = wine(['wineboot', '-i'], { cwd, log: 'wine-boot', minutes: 4 });
    const set = wine(['winecfg', '-v', 'win10'], { cwd, log: 'wine-version', minutes: 2 });
    if (made.status !== 0 || set.status !== 0)
      throw new Unavailable(`Wine does not start: ${made.output}${set.output}`);
  });
}

/**
 * A program on a Node for Windows.
 * @param {string} node
 * @param {string[]} args
 * @param {{ cwd: string, log: string, minutes: number }} options
 */
function onWine(node, args, options) {
  prefix();
  return wine([node, ...args], options);
}

module.exports = { onWine };
