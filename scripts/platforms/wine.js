// Node for Windows under Wine 10, in a Debian of its own in the cache: Wine wants files at fixed places and many libraries.
// Wine is not Windows: error codes differ now and then, and it lets a name of a pipe be listened on twice.
'use strict';

const path = require('node:path');
const cache = require('./cache.js');
const { Unavailable, attempt, download, need, step } = require('./commands.js');
const debian = require('./debian.js');

// A namespace of its own for what is mounted and for what is started: both go with the command. The cache has the same
// path inside. Programs find the server of Wine in /tmp, and one in another namespace would take them for others. A new
// Debian does not know localhost.
const INSIDE = `
system="$1"; cache="$2"; shift 2
printf '127.0.0.1 localhost\\n::1 localhost\\n' > "$system/etc/hosts"
mount -t tmpfs tmpfs "$system/tmp"
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
 * @param {string[]} [more] namespaces of its own
 */
function inside(system, words, more = []) {
  const flags = ['--mount', '--pid', '--fork', '--kill-child'];
  return ['unshare', ...flags, ...more, 'sh', '-ec', INSIDE, 'sh', system, cache.at('.'), ...words];
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
 * A command that runs a script of the shell with Wine's settings, on a network that has no more than loopback.
 * @param {string} script
 * @param {string[]} args
 */
function withWine(script, args) {
  const settings = [`WINEPREFIX=${cache.at('wine', 'prefix')}`, 'WINEDEBUG=-all'];
  return inside(system(), ['env', ...settings, 'sh', '-ec', script, 'sh', ...args], ['--net']);
}

// Wine takes all of a send, as Windows does, and sends in the background what the kernel had no room for. Wine 10 may lose
// that, or its server crashes over it: so the kernel gets room. (0x8914 is SIOCSIFFLAGS, 0x41 IFF_UP and IFF_RUNNING.)
const NETWORK = `
perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0) && ioctl(S, 0x8914, my $lo = pack("a16s", "lo", 0x41)) or die "lo: $!"'
echo 4096 33554432 33554432 > /proc/sys/net/ipv4/tcp_wmem
`;

// The server saves what was set up when it ends by itself, a few seconds after the last program.
const SET_UP = `
/usr/lib/wine/wine64 wineboot -i
/usr/lib/wine/wine64 winecfg -v win10
/usr/lib/wine/wineserver64 -w
`;

// When the server of Wine crashes, its programs wait for it for ever.
const WATCHED = `
${NETWORK}
cd "$1"; shift
program=$$ server=
while sleep 2; do
  if grep -qs wineserver /proc/[0-9]*/comm; then server=seen
  elif [ -n "$server" ]; then kill -KILL $program
  fi
done &
exec /usr/lib/wine/wine64 "$@"
`;

/**
 * A command that runs a Windows program. Its streams have to be files: Node does not take the pipes of Unix under Wine.
 * @param {string[]} words
 * @param {string} cwd in the cache
 */
function under(words, cwd) {
  const own = withWine(WATCHED, [cwd, ...words]);
  cache.once('wine/ready', () => {
    step('starting Wine for the first time');
    const [command, ...rest] = withWine(SET_UP, []);
    const { status, output } = attempt(String(command), rest, { log: 'wine-ready', minutes: 4 });
    if (status !== 0) throw new Unavailable(`Wine does not start: ${output.trim()}`);
  });
  return own;
}

module.exports = { under };
