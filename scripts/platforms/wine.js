// Node for Windows under Wine 10, in a Debian of its own in the cache: Wine wants files at fixed places and many libraries.
// Wine is not Windows: error codes differ now and then, and it lets a name of a pipe be listened on twice.
'use strict';

const path = require('node:path');
const cache = require('./cache.js');
const { Unavailable, attempt, download, need, step } = require('./commands.js');
const debian = require('./debian.js');

// A namespace of our own for what is mounted and for what is started: both go with the command. The cache has the same
// path inside.
const INSIDE = `
system="$1"; cache="$2"; shift 2
mkdir -p "$system$cache"
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
mount --rbind "$cache" "$system$cache"
chroot "$system" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb "$@" || exit $?
`;

/**
 * A command inside the Debian that has Wine.
 * @param {string} system
 * @param {string[]} words
 */
function inside(system, words) {
  const flags = ['--mount', '--pid', '--fork', '--kill-child'];
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
    download('sh', args, { env, log: 'wine-system' });
    const install = 'apt-get update -q && apt-get install -y -q --no-install-recommends wine64 && apt-get clean';
    const [command, ...rest] = inside(made, ['env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', install]);
    download(String(command), rest, { log: 'wine-install' });
  });
}

/**
 * A command that runs a script of the shell with Wine's settings.
 * @param {string} script
 * @param {string[]} args
 */
function withWine(script, args) {
  const settings = [`WINEPREFIX=${cache.at('wine', 'prefix')}`, 'WINEDEBUG=-all'];
  return inside(system(), ['env', ...settings, 'sh', '-ec', script, 'sh', ...args]);
}

// The server saves what was set up when it ends by itself, a few seconds after the last program.
const SET_UP = `
/usr/lib/wine/wine64 wineboot -i
/usr/lib/wine/wine64 winecfg -v win10
/usr/lib/wine/wineserver64 -w
`;

/**
 * A command that runs a Windows program. Its streams have to be files: Node does not take the pipes of Unix under Wine.
 * @param {string[]} words
 * @param {string} cwd in the cache
 */
function under(words, cwd) {
  const own = withWine('cd "$1"; shift; exec /usr/lib/wine/wine64 "$@"', [cwd, ...words]);
  cache.once('wine/ready', () => {
    step('starting Wine for the first time');
    const [command, ...rest] = withWine(SET_UP, []);
    const { status, output } = attempt(String(command), rest, { log: 'wine-ready', minutes: 4 });
    if (status !== 0) throw new Unavailable(`Wine does not start: ${output.trim()}`);
  });
  return own;
}

module.exports = { under };
