// `npm run test:types`: compiles the programs of __test__/types against the typings of the package as it is published, with
// several versions of TypeScript and of @types/node and with each way to resolve modules, and `skipLibCheck: false`. It takes
// dist/ as it is. Ends with status 1 if a program does not compile, or if a line compiles that must not.
//
// Without arguments each version is tried once, and the newest compiler with all of @types/node; `-- --all` tries everything
// with everything, `-- --package FOLDER` the typings of another tree.
//
// The versions are installed into the cache of the other scripts, and not into node_modules: their `tsc` would replace that of
// this package there. Without a registry the check is made with those of node_modules alone, and says so.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { readArguments } = require('../command-line.js');
const cache = require('../platforms/cache.js');
const { Unavailable, download, step } = require('../platforms/commands.js');

const root = path.join(__dirname, '..', '..');
const programs = path.join(root, '__test__', 'types');

/** What is installed. Of TypeScript 5 and before, minor versions count as others do of major ones. */
const compilers = ['5.4.5', '5.9.3', '6.0.3', '7.0.2'];
const nodes = ['20.19.43', '22.20.7', '24.19.4', '26.6.7'];

/**
 * @typedef {object} Mode a way to resolve modules
 * @property {string} type of the program's package.json
 * @property {(compiler: number) => Record<string, unknown>} options
 * @property {string[]} forms the folders of programs that import in a way which this mode has
 *
 * @typedef {{ compiler: string, node: string, mode: string }} Combination
 */

/** @type {Record<string, Mode>} */
const modes = {
  'nodenext, ES module': {
    type: 'module',
    options: () => ({ module: 'nodenext' }),
    forms: ['default'],
  },
  'nodenext, CommonJS': {
    type: 'commonjs',
    options: () => ({ module: 'nodenext' }),
    forms: ['default', 'cjs'],
  },
  bundler: {
    type: 'module',
    options: () => ({ module: 'esnext', moduleResolution: 'bundler' }),
    forms: ['default'],
  },
  // TypeScript 7 has no node10, and CommonJS with the resolution of bundlers.
  'commonjs, node10': {
    type: 'commonjs',
    options: (compiler) => ({
      module: 'commonjs',
      moduleResolution: compiler < 7 ? 'node10' : 'bundler',
      ...(compiler < 6 ? { esModuleInterop: false } : {}),
      ...(compiler === 6 ? { ignoreDeprecations: '6.0' } : {}),
    }),
    forms: ['cjs'],
  },
};

const USAGE = `npm run test:types -- [--all] [--package FOLDER]

Compiles programs of users against the typings in dist/, with TypeScript ${compilers.join(', ')},
@types/node ${nodes.join(', ')}, and each way to resolve modules:

${Object.keys(modes)
  .map((mode) => `  ${mode}`)
  .join('\n')}

--all             everything with everything; default: each version once, and the newest compiler with all of @types/node
--package FOLDER  the typings of another tree`;

const { values: given } = readArguments(USAGE, {
  options: { all: { type: 'boolean', default: false }, package: { type: 'string', default: root } },
});

/** The folder whose node_modules has all versions, `undefined` if it cannot be had. */
function installed() {
  const names = [
    ...compilers.map((version) => `typescript-${version}@npm:typescript@${version}`),
    ...nodes.map((version) => `types-node-${version}@npm:@types/node@${version}`),
  ];
  const versions = [...compilers, ...nodes].join('-');
  try {
    return cache.once(path.join('types', versions), (made) => {
      step('TypeScript and @types/node of npm');
      const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
      download('npm', ['install', ...quiet, '--prefix', made, ...names], { cwd: made, log: 'npm-types', minutes: 5 });
    });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`not tried: versions other than those of node_modules (${error.message})`);
    return undefined;
  }
}

/** @param {string} name of a package in node_modules */
function versionOf(name) {
  return String(JSON.parse(fs.readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')).version);
}

/** Where the versions are, and what is tried. */
function plan() {
  const folder = installed();
  const modeNames = Object.keys(modes);
  if (folder === undefined) {
    const compiler = versionOf('typescript');
    const node = versionOf('@types/node');
    return {
      compilerAt: () => path.join(root, 'node_modules', 'typescript'),
      typesAt: () => path.join(root, 'node_modules', '@types', 'node'),
      combinations: modeNames.map((mode) => ({ compiler, node, mode })),
    };
  }
  /** @type {Combination[]} */
  const combinations = [];
  const newest = compilers.length - 1;
  compilers.forEach((compiler, row) => {
    nodes.forEach((node, column) => {
      modeNames.forEach((mode, at) => {
        const isShort = (row === column && at === row) || (row === newest && at === (column + 1) % modeNames.length);
        if (given.all || isShort) combinations.push({ compiler, node, mode });
      });
    });
  });
  return {
    /** @param {string} version */
    compilerAt: (version) => path.join(folder, 'node_modules', `typescript-${version}`),
    /** @param {string} version */
    typesAt: (version) => path.join(folder, 'node_modules', `types-node-${version}`),
    combinations,
  };
}

/**
 * The package as a program finds it: its manifest and its typings.
 * @param {string} folder
 */
function putPackage(folder) {
  const tree = path.resolve(given.package);
  const typings = fs.readdirSync(path.join(tree, 'dist'), { recursive: true, encoding: 'utf8' });
  const files = typings.filter((name) => name.endsWith('.d.ts')).map((name) => path.join('dist', name));
  for (const name of ['package.json', 'index.d.mts', ...files]) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.copyFileSync(path.join(tree, name), path.join(folder, name));
  }
}

/**
 * Writes a program with what it is compiled with.
 * @param {string} stage
 * @param {string} typesFolder
 * @param {Combination} combination
 */
function prepare(stage, typesFolder, { compiler, node, mode }) {
  const { type, options, forms } = /** @type {Mode} */ (modes[mode]);
  const folder = fs.mkdtempSync(path.join(stage, 'program-'));
  fs.mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true });
  fs.cpSync(path.join(stage, 'ferronet'), path.join(folder, 'node_modules', 'ferronet'), { recursive: true });
  fs.symlinkSync(typesFolder, path.join(folder, 'node_modules', '@types', 'node'), 'junction');
  const major = Number.parseInt(compiler, 10);
  // Since TypeScript 6, every mode has default imports.
  const newerForms = forms.includes('default') || major < 6 ? forms : [...forms, 'default'];
  const shared = ['.', 'forms', ...newerForms].map((name) => path.join('both', name));
  for (const name of [...shared, 'ours', `only-${Number.parseInt(node, 10)}`]) {
    const from = path.join(programs, name);
    if (!fs.existsSync(from)) continue;
    for (const file of fs.readdirSync(from).filter((each) => each.endsWith('.ts'))) {
      const text = fs.readFileSync(path.join(from, file), 'utf8');
      fs.mkdirSync(path.join(folder, name), { recursive: true });
      fs.writeFileSync(path.join(folder, name, file), text);
      if (!name.startsWith('both')) continue;
      // The same must be true of node:net, or it is not what it is a replacement for that is tested.
      fs.mkdirSync(path.join(folder, 'node', name), { recursive: true });
      fs.writeFileSync(path.join(folder, 'node', name, file), text.replaceAll("'ferronet'", "'node:net'"));
    }
  }
  const compilerOptions = {
    noEmit: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    target: 'es2022',
    skipLibCheck: false,
    moduleDetection: 'force',
    ...options(major),
  };
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type }));
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }));
  return folder;
}

/** The files of @types/node, by their real path or the linked one. */
const IN_NODES = /^[^(]*(?:types-node-|node_modules[\\/]@types[\\/]node[\\/]|undici-types[\\/])/;

/**
 * The file, the line and the column of an error.
 * @param {string} error
 */
function place(error) {
  return error.split(': ', 1)[0];
}

/**
 * What the compiler reports. @types/node of a version that wants a newer compiler has errors of its own; then a line that
 * has an error with node:net as well is not counted.
 *
 * @param {string} compiler
 * @param {string} folder
 * @returns {Promise<{ errors: string[], others: number }>}
 */
function compile(compiler, folder) {
  const tsc = path.join(compiler, 'bin', 'tsc');
  const child = spawn(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      // An error goes on in lines that begin with a space.
      const all = output.trim() === '' ? [] : output.trim().split(/\r?\n(?! )/);
      const own = all.filter((error) => !IN_NODES.test(error));
      const others = all.length - own.length;
      const places = new Set(own.map(place));
      const isNodes = (/** @type {string} */ error) => error.startsWith('node/') || places.has(`node/${place(error)}`);
      const errors = others === 0 ? own : own.filter((error) => !isNodes(error));
      if (status !== 0 && all.length === 0) errors.push(`tsc ended with ${status}`);
      resolve({ errors, others });
    });
  });
}

async function main() {
  const { compilerAt, typesAt, combinations } = plan();
  const stage = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'ferronet-types-'));
  let failed = 0;
  try {
    putPackage(path.join(stage, 'ferronet'));
    for (const combination of combinations) {
      const { compiler, node, mode } = combination;
      const title = `TypeScript ${compiler}, @types/node ${node}, ${mode}`;
      const folder = prepare(stage, typesAt(node), combination);
      // One after the other: each takes a core, and the newest all of them.
      // oxlint-disable-next-line eslint/no-await-in-loop
      const { errors, others } = await compile(compilerAt(compiler), folder);
      console.log(
        `${errors.length === 0 ? 'ok    ' : 'FAILED'} ${title}${others > 0 ? ` (${others} errors in @types/node itself)` : ''}`,
      );
      for (const error of errors) console.log(`  ${error.replaceAll('\n', '\n  ')}`);
      failed += Number(errors.length > 0);
    }
  } finally {
    fs.rmSync(stage, { recursive: true, force: true });
  }
  console.log(`${combinations.length - failed} of ${combinations.length} combinations compile`);
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
