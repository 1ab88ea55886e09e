// Lets a program see another machine than this one: another C library beside its own, another processor. It is a
// namespace of the kernel's, which goes when the program ends; nothing changes for the rest of the machine. There, a
// target's Node is started like any program, also by the tests.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');
const { need } = require('./commands.js');
const debian = require('./debian.js');
const wine = require('./wine.js');

/** @typedef {import('./targets.js').Target} Target */

// Runs as root of the namespace and as its first process, which takes all others with it. An overlay puts the other C
// library's loader where programs have it by name, `ldd` is what they know musl by, and the kernel hands programs of
// arm64 to qemu: real system calls, another's instructions.
const SCRIPT = `
libraries="$1"; own="$2"; ldd="$3"; qemu="$4"; shift 4
mount -t overlay overlay -o "lowerdir=$libraries:$own" "$own"
[ -z "$ldd" ] || mount --bind "$ldd" /usr/bin/ldd
if [ -n "$qemu" ]; then
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  printf '%s' ":aarch64:M::$MAGIC:$MASK:$qemu:PF" > /proc/sys/fs/binfmt_misc/register
fi
unset MAGIC MASK
"$@" || exit $?
`;

/** What a program (ELF, 64 bits, little-endian, AArch64) begins with, and which bits of that count. */
const MAGIC = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;

/** What musl's ldd says. */
function lddOfMusl() {
  const file = cache.at('musl-ldd');
  fs.writeFileSync(file, '#!/bin/sh\necho musl libc\n', { mode: 0o755 });
  return file;
}

/**
 * A command that runs another one on the machine of a target.
 * @param {Target} target
 * @param {string[]} words
 * @param {string} cwd in the cache
 */
function on({ runner }, words, cwd) {
  if (runner === 'native') return words;
  if (runner === 'wine') return wine.under(words, cwd);
  need('unshare', 'another machine is imitated in a namespace');
  const arm64 = runner === 'qemu' || runner === 'qemu-musl';
  const musl = runner === 'musl' || runner === 'qemu-musl';
  const architecture = arm64 ? 'arm64' : 'amd64';
  // Node for musl does not start with a musl older than 1.2.5.
  const libraries = musl
    ? debian.unpacked(`musl-${architecture}`, [`musl:${architecture}`])
    : debian.unpacked(
        architecture,
        ['libc6', 'libgcc-s1', 'libstdc++6'].map((name) => `${name}:${architecture}`),
      );
  const qemu = arm64 ? path.join(debian.unpacked('qemu', ['qemu-user']), 'usr', 'bin', 'qemu-aarch64') : '';
  // Each user namespace has a list of its own of such programs, and root has all it needs without one.
  const user = arm64 || process.getuid?.() !== 0 ? ['--user', '--map-root-user'] : [];
  const settings = [path.join(libraries, 'usr', 'lib'), fs.realpathSync('/lib'), musl ? lddOfMusl() : '', qemu];
  const script = ['env', `MAGIC=${MAGIC}`, `MASK=${MASK}`, 'sh', '-ec', SCRIPT, 'sh', ...settings];
  return ['unshare', ...user, '--mount-proc', '--pid', '--fork', '--kill-child', ...script, ...words];
}

module.exports = { on };
