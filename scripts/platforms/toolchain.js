// What cross-building takes beside the machine's own Rust: the standard library of each target, zig as the linker for
// all of them but Windows x64, and mingw for that one.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');
const { Unavailable, attempt, download, need, run, step } = require('./commands.js');
const debian = require('./debian.js');

// Newer versions are taken up by hand: a linker decides what systems the result loads on.
const ZIG = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1'];

/** @param {string[]} args */
function rustc(...args) {
  need('rustc', 'the native part is written in Rust');
  return execFileSync('rustc', args, { encoding: 'utf8' }).trim();
}

/** `1.95.0`, as Debian names its sources. */
function rustVersion() {
  return rustc('--version').split(' ')[1] ?? '';
}

/**
 * Whether the machine's toolchain can build for a target as it is (`rustup target add` sees to that where rustup works).
 * @param {string} triple
 */
function hasStandardLibrary(triple) {
  return fs.existsSync(path.join(rustc('--print', 'sysroot'), 'lib', 'rustlib', triple, 'lib'));
}

/**
 * A copy of the toolchain with the sources of its standard library where cargo's `-Zbuild-std` looks for them. The
 * machine's own toolchain is left alone. They have to be of the very version of the compiler.
 */
function withSources() {
  const version = rustVersion();
  return cache.once(`rust-${version}`, (made) => {
    const versions = debian.versions('rust-src');
    const source = versions.find((one) => one.startsWith(`${version}+`) || one.startsWith(`${version}-`));
    if (!source) {
      const there = versions.length > 0 ? `has ${versions.join(', ')}` : 'has none';
      throw new Unavailable(
        `no rust-src ${version} to build its standard library of (Debian ${debian.RELEASE} ${there}); ` +
          '`rustup target add` or another Rust would do',
      );
    }
    const sources = debian.unpacked(`rust-src-${version}`, [`rust-src=${source}`]);
    step(`a copy of Rust ${version} with its sources`);
    const own = rustc('--print', 'sysroot');
    for (const part of ['bin', 'lib', 'libexec']) {
      if (!fs.existsSync(path.join(own, part))) continue;
      // Hard links cost nothing, where both are on one file system.
      const linked = attempt('cp', ['-al', path.join(own, part), made]).status === 0;
      if (!linked) {
        fs.rmSync(path.join(made, part), { recursive: true, force: true });
        run('cp', ['-a', path.join(own, part), made]);
      }
    }
    const place = path.join(made, 'lib', 'rustlib', 'src', 'rust');
    fs.rmSync(place, { recursive: true, force: true });
    fs.mkdirSync(place, { recursive: true });
    fs.symlinkSync(path.join(sources, 'usr', 'src', `rustc-${version}`, 'library'), path.join(place, 'library'));
  });
}

/** zig, and the cargo command that links with it, of PyPI: no environment of Python's is needed for programs. */
function zig() {
  return cache.once(`zig-${ZIG.join('-').replaceAll(/[^\d.]+/g, '_')}`, (made) => {
    need('python3', 'zig comes from PyPI');
    step(`${ZIG.join(', ')} of PyPI`);
    download('python3', ['-m', 'pip', 'install', '-q', '--no-deps', '--target', made, ...ZIG], { log: 'pip-zig' });
  });
}

/** gcc for Windows, unpacked and not installed: it finds its parts beside itself. */
function mingw() {
  const parts = ['binutils-mingw-w64-x86-64', 'mingw-w64-x86-64-dev', 'mingw-w64-common', 'gcc-mingw-w64-base'];
  const gcc = ['gcc-mingw-w64-x86-64-posix', 'gcc-mingw-w64-x86-64-posix-runtime'];
  return debian.unpacked('mingw', [...gcc, ...parts], true);
}

module.exports = { hasStandardLibrary, mingw, rustc, withSources, zig };
