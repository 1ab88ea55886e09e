// The eight platforms that ferronet is built for, by the names that npm and napi-rs give them.
'use strict';

/**
 * How a target's Node runs on a Linux x64 machine, if it does.
 * @typedef {'native' | 'musl' | 'qemu' | 'qemu-musl' | 'wine' | 'no'} Runner
 *
 * What links it: cargo-zigbuild with zig's own C library, or mingw.
 * @typedef {'zig' | 'mingw'} Linker
 *
 * @typedef {object} Target
 * @property {string} name as in `npm/<name>`
 * @property {string} triple what is built here
 * @property {string} [glibc] the oldest that it shall load on
 * @property {Linker} linker
 * @property {Runner} runner
 * @property {string[]} [nodes] that its suite is run on unless others are asked for; for musl there is no choice
 * @property {string} [unrunnable] why, if nothing here runs it
 * @property {string} [remark] what of it differs from what is published
 */

const EVERY_NODE = ['20', '22', '24', '26'];
const NO_MACOS = 'macOS programs run on macOS only';

/** @type {Target[]} */
const targets = [
  {
    name: 'linux-x64-gnu',
    triple: 'x86_64-unknown-linux-gnu',
    glibc: '2.17',
    linker: 'zig',
    runner: 'native',
    nodes: EVERY_NODE,
  },
  { name: 'linux-x64-musl', triple: 'x86_64-unknown-linux-musl', linker: 'zig', runner: 'musl' },
  {
    name: 'linux-arm64-gnu',
    triple: 'aarch64-unknown-linux-gnu',
    glibc: '2.17',
    linker: 'zig',
    runner: 'qemu',
    nodes: ['24'],
  },
  {
    name: 'linux-arm64-musl',
    triple: 'aarch64-unknown-linux-musl',
    linker: 'zig',
    runner: 'qemu-musl',
  },
  {
    name: 'darwin-x64',
    triple: 'x86_64-apple-darwin',
    linker: 'zig',
    runner: 'no',
    unrunnable: NO_MACOS,
  },
  {
    name: 'darwin-arm64',
    triple: 'aarch64-apple-darwin',
    linker: 'zig',
    runner: 'no',
    unrunnable: NO_MACOS,
  },
  {
    name: 'win32-x64-msvc',
    triple: 'x86_64-pc-windows-gnu',
    linker: 'mingw',
    runner: 'wine',
    nodes: EVERY_NODE,
    remark: "built with mingw: Microsoft's libraries cannot be had here",
  },
  {
    name: 'win32-arm64-msvc',
    triple: 'aarch64-pc-windows-gnullvm',
    linker: 'zig',
    runner: 'no',
    unrunnable: 'Wine for arm64 does not start under qemu-user',
    remark: "built with zig: Microsoft's libraries cannot be had here",
  },
];

/**
 * The targets of a command line: by name, by the beginning of a name, or all.
 * @param {string[]} wanted
 */
function chosen(wanted) {
  if (wanted.length === 0 || wanted.includes('all')) return targets;
  for (const name of wanted) {
    if (!targets.some((target) => target.name.startsWith(name))) {
      throw new Error(`no target is called ${name}: there are ${targets.map((target) => target.name).join(', ')}`);
    }
  }
  return targets.filter((target) => wanted.some((name) => target.name.startsWith(name)));
}

module.exports = { chosen, targets };
