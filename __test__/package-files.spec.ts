// What is published: everything a user needs, and nothing that makes an installer start a compiler.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';

const { published } = require('../scripts/published-manifest.js') as {
  published: (manifest: object) => Record<string, unknown>;
};

const root = join(__dirname, '..');

interface Manifest {
  name: string;
  version: string;
  type?: string;
  repository?: unknown;
  main: string;
  types?: string;
  files: string[];
  exports: Record<string, unknown>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  scripts?: Record<string, string>;
  gypfile?: boolean;
  dependencies?: Record<string, string>;
  napi: { targets: string[] };
}

function manifest(...at: string[]): Manifest {
  return JSON.parse(readFileSync(join(root, ...at, 'package.json'), 'utf8')) as Manifest;
}

function packed(): string[] {
  const npm = process.env['npm_execpath'];
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const text = execFileSync(command, [...first, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: command === 'npm' && process.platform === 'win32',
  });
  const [result] = JSON.parse(text) as [{ files: { path: string }[] }];
  return result.files.map(({ path }) => path);
}

test('the package holds both entry points, the loader and the typings, and no source, no binary, no build script', (t) => {
  const files = packed();
  const needed = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/API.md', 'docs/DIVERGENCES.md'];
  for (const file of [...needed, 'index.mjs', 'index.d.mts', 'dist/index.js', 'dist/index.d.ts']) {
    t.true(files.includes(file), file);
  }
  t.deepEqual(
    files.filter((file) => /\.node$|binding\.gyp$|\.rs$|Cargo|(?<!\.d)\.ts$|__test__|\.spec\./.test(file)),
    [],
  );
});

/** The files that a part of `exports` names. */
function named(part: unknown): string[] {
  return typeof part === 'string' ? [part] : Object.values(part as object).flatMap(named);
}

test('every entry point of the package is in it, with its typings', (t) => {
  const files = packed();
  const { exports } = manifest();
  for (const file of named(exports)) t.true(files.includes(file.replace('./', '')), file);
  // What it requires of the package.
  for (const file of files.filter((each) => /^\w+\.m?js$|^dist\/.*\.js$/.test(each))) {
    const asked = readFileSync(join(root, file), 'utf8').matchAll(
      /(?:require(?:\.resolve)?\(|from )['"](\.[^'"]+\.m?js)['"]/g,
    );
    for (const [, name = ''] of asked) t.true(files.includes(join(dirname(file), name).replaceAll('\\', '/')), name);
  }
});

test('installing the package runs nothing and needs nothing else', (t) => {
  const { scripts, gypfile, dependencies } = manifest();
  // npm asks for approval of each of these, of `prepare` where the package comes from an archive or a folder.
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) t.is(scripts?.[hook], undefined, hook);
  t.is(gypfile, undefined);
  t.is(dependencies, undefined);
});

test('the published manifest has nothing that is of use in a clone only', (t) => {
  const whole = manifest();
  const result = published({ ...whole, optionalDependencies: { 'ferronet-linux-x64-gnu': whole.version } });
  const names = Object.keys(result);
  t.deepEqual(
    names.filter((name) => /scripts|devDependencies|overrides|ava/.test(name)),
    [],
  );
  for (const name of [
    'name',
    'version',
    'main',
    'types',
    'exports',
    'bin',
    'files',
    'engines',
    'optionalDependencies',
  ]) {
    t.true(names.includes(name), name);
  }
});

test('before anything is built, each entry point says so', (t) => {
  const clone = mkdtempSync(join(tmpdir(), 'ferronet-unbuilt-'));
  t.teardown(() => rmSync(clone, { recursive: true, force: true }));
  for (const file of ['package.json', 'index.mjs', 'scripts/unbuilt.js']) cpSync(join(root, file), join(clone, file));
  const built = join(clone, 'dist', 'entry', 'http.js');
  mkdirSync(dirname(built), { recursive: true });
  writeFileSync(built, 'module.exports = 1');
  t.is(manifest().scripts?.['postprepare'], 'node scripts/unbuilt.js');
  execFileSync(process.execPath, [join(clone, 'scripts', 'unbuilt.js')]);
  for (const program of ["require('ferronet')", "import('ferronet')", "require('ferronet/handover')"]) {
    const run = spawnSync(process.execPath, ['--eval', program], { cwd: clone, encoding: 'utf8' });
    t.is(run.status, 1, program);
    t.regex(run.stderr, /Error: ferronet is not built here: .*npm run build/, program);
  }
  t.is(readFileSync(built, 'utf8'), 'module.exports = 1');
});

test('npm/ has a package for each target, of the same version', (t) => {
  const { name, version, napi, repository } = manifest();
  const systems: Record<string, string> = { linux: 'linux', apple: 'darwin', pc: 'win32' };
  const folders = napi.targets.map((target) => {
    const [cpu, vendor, system, abi] = target.split('-');
    const os = systems[(vendor === 'unknown' ? system : vendor) ?? ''];
    return [os, cpu === 'x86_64' ? 'x64' : 'arm64', abi].filter(Boolean).join('-');
  });
  t.deepEqual(readdirSync(join(root, 'npm')).toSorted(), folders.toSorted());
  for (const folder of folders) {
    const [os, cpu, abi] = folder.split('-');
    const one = manifest('npm', folder);
    t.is(one.name, `${name}-${folder}`);
    t.is(one.version, version);
    t.deepEqual([one.os, one.cpu], [[os], [cpu]]);
    t.deepEqual(one.libc, os === 'linux' ? [abi === 'gnu' ? 'glibc' : 'musl'] : undefined);
    t.deepEqual(one.files, [`ferronet.${folder}.node`]);
    t.is(one.type, 'commonjs');
    t.deepEqual(one.repository, repository);
    const licence = readFileSync(join(root, 'npm', folder, 'LICENSE'), 'utf8');
    t.is(licence, readFileSync(join(root, 'LICENSE'), 'utf8'));
  }
});
