// What a user reads when the package is there and its native part is not: another platform, or a broken install. It names
// the platform, what was looked for and what to do.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

const root = join(__dirname, '..');
const addon = readdirSync(root).find((name) => /^ferronet\..+\.node$/.test(name));
// ferronet.linux-x64-gnu.node is also in the package ferronet-linux-x64-gnu.
const platformPackage = addon?.replace('ferronet.', 'ferronet-').replace(/\.node$/, '');

interface Manifest {
  version: string;
}

interface Place {
  /** The folder in which it is installed. */
  below?: string;
  /** Whether it was published, or else packed from a clone: a release names the packages of its platforms. */
  isPublished?: boolean;
}

/** A folder whose node_modules has the package without its native part. */
function installed(
  t: ExecutionContext,
  { below = '.', isPublished = true }: Place = {},
): { folder: string; copy: string } {
  const made = mkdtempSync(join(tmpdir(), 'ferronet-loader-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  const folder = join(made, below);
  const copy = join(folder, 'node_modules', 'ferronet');
  for (const part of ['package.json', 'dist', 'index.mjs']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  if (isPublished) {
    const manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as Manifest;
    const optionalDependencies = { [String(platformPackage)]: manifest.version };
    writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...manifest, optionalDependencies }));
  }
  return { folder, copy };
}

/** The code and the text of the error that `require('ferronet')` throws in a folder. */
function fault(folder: string, flags: string[] = [], before = ''): { code: string; message: string } {
  const program = `${before};
    try { require('ferronet'); console.log('{}') }
    catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`;
  const run = spawnSync(process.execPath, [...flags, '-e', program], { cwd: folder, encoding: 'utf8' });
  return JSON.parse(run.stdout || JSON.stringify({ message: run.stderr })) as { code: string; message: string };
}

test('without its native part, require() and import say so', (t) => {
  const { folder } = installed(t);
  for (const program of ["require('ferronet')", "import('ferronet').catch((error) => { throw error; })"]) {
    const run = spawnSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
    t.is(run.status, 1, program);
    t.regex(run.stderr, /native binding/, program);
    t.notRegex(run.stderr, /TypeError|undefined/, program);
  }
});

test('npm has left the optional package out', (t) => {
  const { code, message } = fault(installed(t).folder);
  t.is(code, 'MODULE_NOT_FOUND');
  t.true(message.includes(`${process.platform} ${process.arch}`), message);
  t.true(message.includes(`../${addon} is not there`), message);
  t.true(message.includes(`- ${platformPackage} is not there`), message);
  t.true(message.endsWith(`or name it: npm install ${platformPackage}.`), message);
});

test('the package was packed from a clone', (t) => {
  const { folder } = installed(t, { isPublished: false });
  // Of no use, and its presence does not make this an installation for another system.
  mkdirSync(join(folder, 'node_modules', 'ferronet-sunos-sparc'));
  const { code, message } = fault(folder);
  const platform = String(platformPackage).replace('ferronet-', '');
  t.is(code, 'MODULE_NOT_FOUND');
  t.regex(message, /was packed from a clone of the repository, without the addon/);
  t.true(
    message.includes(`\n  cp ${addon} npm/${platform}/ && npm pack --ignore-scripts . ./npm/${platform}\n`),
    message,
  );
  // Nothing that would fetch a package of this name.
  t.notRegex(message, /npm install/);
});

test('node_modules was copied from another system', (t) => {
  const { folder } = installed(t);
  mkdirSync(join(folder, 'node_modules', 'ferronet-sunos-sparc'));
  const { code, message } = fault(folder);
  t.is(code, 'MODULE_NOT_FOUND');
  t.regex(message, /There is ferronet-sunos-sparc: this was installed for another system/);
});

test('an asar archive without it', (t) => {
  const { code, message } = fault(installed(t, { below: 'app.asar' }).folder);
  t.is(code, 'MODULE_NOT_FOUND');
  t.regex(message, /packed without it.*asarUnpack/);
});

test('an asar archive that it cannot be loaded from', (t) => {
  const { folder, copy } = installed(t, { below: 'app.asar' });
  writeFileSync(join(copy, String(addon)), 'what Electron has copied out, where nothing may be executed');
  const { code, message } = fault(folder);
  t.is(code, 'ERR_DLOPEN_FAILED');
  t.regex(message, /Leave addons beside the archive: asarUnpack/);
});

test('a file that is no addon of this system', (t) => {
  const { folder, copy } = installed(t);
  writeFileSync(join(copy, String(addon)), 'of another system');
  const { code, message } = fault(folder);
  t.is(code, 'ERR_DLOPEN_FAILED');
  t.regex(message, /does not load: it belongs to another system or is damaged/);
});

test('a platform without a build', (t) => {
  const { code, message } = fault(
    installed(t).folder,
    [],
    "Object.defineProperty(process, 'arch', { value: 'pdp11' })",
  );
  t.is(code, 'MODULE_NOT_FOUND');
  t.regex(message, /pdp11/);
  t.regex(message, /There is no build for this platform/);
});

// What a bundler leaves in the place of the addon, here in the package of this platform.
const swallowed = {
  'the path of a copy': "module.exports = './addon-4F1C.node'",
  'the bytes': 'module.exports = new Uint8Array(3)',
  'a module that could not be parsed': `throw new Error("Module parse failed: Unexpected character '\\x7F' (1:0)\\nYou may need a loader")`,
  'what only CommonJS has': 'throw new ReferenceError("require is not defined in ES module scope")',
};
for (const [what, module] of Object.entries(swallowed)) {
  test(`a bundler has taken the addon for something else: ${what}`, (t) => {
    const { folder } = installed(t);
    const fake = join(folder, 'node_modules', String(platformPackage));
    mkdirSync(fake);
    writeFileSync(join(fake, 'index.js'), module);
    const { code, message } = fault(folder);
    t.is(code, 'MODULE_NOT_FOUND', message);
    t.regex(message, /A bundler has taken ferronet into its bundle/);
    for (const line of ['esbuild: --external:ferronet', 'webpack: ', 'rollup: external', 'vite: ssr']) {
      t.true(message.includes(line), line);
    }
    t.true(message.endsWith(`node_modules/${platformPackage} where the program runs.`), message);
  });
}

test('a bundle that was put where the addon is not', (t) => {
  const { folder, copy } = installed(t);
  // The files as a bundler has them: without the package around them.
  rmSync(join(copy, 'package.json'));
  writeFileSync(join(copy, 'index.js'), "module.exports = require('./dist/index.js')");
  const { code, message } = fault(folder);
  t.is(code, 'MODULE_NOT_FOUND');
  t.regex(message, /A bundler has taken ferronet into its bundle/);
});

test('a bundle of webpack: what to write there is enough', (t) => {
  const { folder, copy } = installed(t);
  rmSync(join(copy, 'package.json'));
  writeFileSync(join(copy, 'index.js'), "module.exports = require('./dist/index.js')");
  const { message } = fault(folder, [], 'globalThis.__webpack_require__ = () => {}');
  t.regex(message, /webpack: target/);
  t.notRegex(message, /esbuild/);
});

test('the loader knows every platform that is built', (t) => {
  const source = readFileSync(join(root, 'lib', 'handle', 'addon.ts'), 'utf8');
  const required = Array.from(source.matchAll(/require\('([^']+)'\)/g), ([, name]) => name);
  const expected = readdirSync(join(root, 'npm')).flatMap((name) => [
    `../../../ferronet.${name}.node`,
    `ferronet-${name}`,
  ]);
  t.deepEqual(required.filter((name) => name !== './load-error.js').toSorted(), expected.toSorted());
});

const forbidding = [['--no-addons']];
if (process.allowedNodeEnvironmentFlags.has('--permission')) {
  forbidding.push(['--no-warnings', '--permission', '--allow-fs-read=*']);
}
for (const flags of forbidding) {
  test(`a process that may load no addons: ${flags.join(' ')}`, (t) => {
    const { code, message } = fault(root, flags);
    t.is(code, 'ERR_DLOPEN_DISABLED', message);
    t.regex(message, /--allow-addons/);
  });
}
