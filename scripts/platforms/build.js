// Builds the native part for one target, or the tests of its reactor, in a target folder of the cache.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');
const { need, run, step } = require('./commands.js');
const toolchain = require('./toolchain.js');

/** @typedef {import('./targets.js').Target} Target */

const root = path.join(__dirname, '..', '..');

// napi-build wants a library of node.exe to link a mingw build with. The addon asks the running program for its symbols
// instead (dyn-symbols), so that an empty one will do.
const NODE_EXE = 'LIBRARY node.exe\nEXPORTS\nnapi_module_register\n';

/**
 * An import library of node.exe under the name that napi-build looks for.
 * @param {string} name of the folder
 * @param {(definition: string, library: string) => void} make
 */
function nodeLibrary(name, make) {
  return cache.once(name, (made) => {
    const definition = path.join(made, 'node.def');
    fs.writeFileSync(definition, NODE_EXE);
    make(definition, path.join(made, 'libnode.dll.a'));
    fs.copyFileSync(path.join(made, 'libnode.dll.a'), path.join(made, 'libnode.a'));
    fs.writeFileSync(path.join(made, 'libnode.dll'), '');
  });
}

/**
 * What links for a target: cargo's command for it, and the environment that it needs.
 * @param {Target} target
 * @returns {{ command: string, env: NodeJS.ProcessEnv, path: string[] }}
 */
function linking(target) {
  if (target.linker === 'mingw') {
    const bin = path.join(toolchain.mingw(), 'usr', 'bin');
    const prefix = 'x86_64-w64-mingw32-';
    const library = nodeLibrary('node-exe-x64', (definition, file) => {
      run(path.join(bin, `${prefix}dlltool`), ['-d', definition, '-l', file]);
    });
    const gcc = path.join(bin, `${prefix}gcc-posix`);
    return {
      command: 'build',
      env: { CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER: gcc, LIBNODE_PATH: library },
      path: [bin],
    };
  }
  const zig = toolchain.zig();
  const program = path.join(zig, 'ziglang', 'zig');
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    CARGO_ZIGBUILD_ZIG_PATH: program,
    CARGO_ZIGBUILD_CACHE_DIR: cache.at('zigbuild'),
    ZIG_GLOBAL_CACHE_DIR: cache.at('zig-global'),
    ZIG_LOCAL_CACHE_DIR: cache.at('zig-local'),
    // What it is without this is that of zig's newest SDK.
    MACOSX_DEPLOYMENT_TARGET: '11.0',
  };
  // musl is linked statically by default, by Rust and by zig, and an addon has to use that of its process; tests, in which
  // `epoll_create1` is ferronet's, cannot have it in them.
  if (target.triple.endsWith('-musl')) env['RUSTFLAGS'] = '-C target-feature=-crt-static -C link-arg=-dynamic';
  if (target.triple.includes('-windows-')) {
    env['LIBNODE_PATH'] = nodeLibrary('node-exe-arm64', (definition, file) => {
      run(program, ['dlltool', '-m', 'arm64', '-d', definition, '-l', file]);
    });
  }
  return { command: 'zigbuild', env, path: [path.join(zig, 'bin')] };
}

/**
 * The library that cargo made.
 * @param {string} folder
 */
function artifact(folder) {
  const found = ['libferronet.so', 'libferronet.dylib', 'ferronet.dll'].find((name) =>
    fs.existsSync(path.join(folder, name)),
  );
  if (!found) throw new Error(`cargo made no library in ${folder}`);
  return path.join(folder, found);
}

/**
 * Runs cargo for a target, and gives what it printed.
 * @param {Target} target
 * @param {string[]} what
 * @param {string} log
 */
function cargo(target, what, log) {
  need('cargo', 'the native part is written in Rust');
  const { command, env, path: programs } = linking(target);
  const args = [command, '--locked', ...what];
  args.push('--target', target.glibc ? `${target.triple}.${target.glibc}` : target.triple);
  if (!toolchain.hasStandardLibrary(target.triple)) {
    const rust = path.join(toolchain.withSources(), 'bin');
    args.push('-Zbuild-std=std,panic_abort,panic_unwind,test');
    // Cargo builds a standard library only for those who say that they know it to be unstable.
    Object.assign(env, { RUSTC: path.join(rust, 'rustc'), CARGO: path.join(rust, 'cargo'), RUSTC_BOOTSTRAP: '1' });
    programs.unshift(rust);
  }
  step(`${target.name}: cargo ${command} for ${target.triple}${target.glibc ? `, glibc ${target.glibc}` : ''}`);
  env['CARGO_TARGET_DIR'] = targetFolder(target);
  env['PATH'] = [...programs, process.env['PATH']].join(path.delimiter);
  const program = command === 'zigbuild' ? path.join(toolchain.zig(), 'bin', 'cargo-zigbuild') : 'cargo';
  return run(program, args, { cwd: root, env, log });
}

/** @param {Target} target */
function targetFolder({ name }) {
  return cache.at('target', name);
}

/**
 * @param {Target} target
 * @returns {string} the addon, named as in its package
 */
function build(target) {
  cargo(target, ['--release', '-p', 'ferronet-binding'], `build-${target.name}`);
  const addon = cache.at('addons', `ferronet.${target.name}.node`);
  fs.mkdirSync(path.dirname(addon), { recursive: true });
  fs.copyFileSync(artifact(path.join(targetFolder(target), target.triple, 'release')), addon);
  return addon;
}

/**
 * The tests of the reactor by itself.
 * @param {Target} target
 * @returns {string[]} programs
 */
function buildTests(target) {
  const what = [
    '-p',
    'ferronet-core',
    '-p',
    'ferronet-reactor',
    '--tests',
    '--quiet',
    '--message-format',
    'json-render-diagnostics',
  ];
  const printed = cargo(target, what, `build-tests-${target.name}`);
  const messages = printed.split('\n').filter((line) => line.startsWith('{'));
  const programs = messages.map((line) => JSON.parse(line).executable).filter((file) => typeof file === 'string');
  if (programs.length === 0) throw new Error(`cargo made no tests for ${target.triple}`);
  return programs;
}

/**
 * The newest version of glibc that an addon asks for, which is the lowest that loads it.
 * @param {string} addon
 */
function lowestGlibc(addon) {
  const text = fs.readFileSync(addon, 'latin1');
  const versions = [...text.matchAll(/\0GLIBC_(\d+\.\d+)(?:\.\d+)?(?=\0)/g)].map((found) => String(found[1]));
  return versions.toSorted(compareVersions).at(-1);
}

/**
 * @param {string} a
 * @param {string} b
 */
function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

module.exports = { build, buildTests, compareVersions, lowestGlibc, root };
