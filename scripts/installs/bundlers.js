// Bundlers: as the error of the loader says that they are to be configured, and without, where that error has to come.
'use strict';
/* oxlint-disable no-await-in-loop -- one build at a time */

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { installedProject, mustEcho, mustExplain, outside } = require('./cases.js');
const { root } = require('./packages.js');
const { fileOf, load } = require('./tools.js');

/** @typedef {import('./cases.js').Case} Case */

const node = process.execPath;
const FILES = /** @type {const} */ (['app.cjs', 'app.mjs', 'registered.cjs']);

/**
 * A project from which the bundle is taken away, so that it finds only what went into it.
 * @param {string} cwd
 * @param {string} out folder of the bundle
 */
function takenAway(cwd, out) {
  const alone = outside(cwd, out);
  fs.cpSync(path.join(cwd, out), alone, { recursive: true });
  return alone;
}

/**
 * @param {string} what
 * @param {readonly unknown[]} warnings
 */
function mustNotWarn(what, warnings) {
  if (warnings.length > 0) throw new Error(`${what} warns: ${JSON.stringify(warnings).slice(0, 2000)}`);
}

/** @type {Case} */
const esbuild = {
  name: 'esbuild',
  tries: ['external', 'loader copy', 'loader file: explained', 'moved: explained'],
  async run(packages, tried) {
    const { build } = load('esbuild', 'esbuild');
    const cwd = installedProject('esbuild', packages, FILES);
    const common = { absWorkingDir: cwd, bundle: true, platform: 'node', logLevel: 'silent' };
    for (const [format, entry, outfile] of [
      ['cjs', 'app.cjs', 'external/app.cjs'],
      ['esm', 'app.mjs', 'external/app.mjs'],
    ]) {
      const { warnings } = await build({ ...common, format, entryPoints: [entry], outfile, external: ['ferronet'] });
      mustNotWarn('esbuild', warnings);
      mustEcho(node, [String(outfile)], cwd);
    }
    tried('external');

    for (const entry of ['app.cjs', 'app.mjs']) {
      const outfile = `copy/${entry}.cjs`;
      const { warnings } = await build({ ...common, entryPoints: [entry], outfile, loader: { '.node': 'copy' } });
      mustNotWarn('esbuild', warnings);
      mustEcho(node, [path.basename(outfile)], takenAway(cwd, 'copy'));
    }
    tried('loader copy');

    await build({ ...common, entryPoints: ['app.cjs'], outfile: 'file/app.cjs', loader: { '.node': 'file' } });
    mustExplain('app.cjs', takenAway(cwd, 'file'), 'esbuild: --external:ferronet');
    tried('loader file: explained');

    await build({ ...common, entryPoints: ['app.cjs'], outfile: 'left/app.cjs', external: ['*.node', packages.name] });
    mustExplain('app.cjs', takenAway(cwd, 'left'), `${packages.name} is not there`);
    tried('moved: explained');
  },
};

/**
 * @param {(configuration: object, done: (error: Error | null, stats: any) => void) => void} webpack
 * @param {object} configuration
 * @returns {Promise<{ errors: { message: string }[], warnings: { message: string }[] }>}
 */
function packed(webpack, configuration) {
  return new Promise((resolve, reject) => {
    webpack(configuration, (error, stats) => {
      if (error) reject(error);
      else resolve(stats.toJson({ all: false, errors: true, warnings: true }));
    });
  });
}

/** The platforms that there are packages for. */
function targets() {
  return fs.readdirSync(path.join(root, 'npm'));
}

/** @type {Case} */
const webpackCase = {
  name: 'webpack 5',
  tries: ['externals', 'swallowed: explained'],
  async run(packages, tried) {
    const webpack = load('webpack', 'webpack');
    const cwd = installedProject('webpack', packages, FILES);
    const common = { context: cwd, mode: 'production', target: 'node', devtool: false };
    for (const entry of ['app.cjs', 'app.mjs']) {
      const output = { path: path.join(cwd, 'external'), filename: `${entry}.cjs` };
      const externals = { ferronet: 'commonjs ferronet' };
      const { errors, warnings } = await packed(webpack, { ...common, entry: `./${entry}`, output, externals });
      mustNotWarn('webpack', [...errors, ...warnings]);
      mustEcho(node, [path.join('external', output.filename)], cwd);
    }
    tried('externals');

    const output = { path: path.join(cwd, 'swallowed'), filename: 'app.cjs' };
    // As in development: otherwise what has an error is not written.
    const optimization = { emitOnErrors: true };
    const { errors, warnings } = await packed(webpack, { ...common, entry: './app.cjs', output, optimization });
    // It looks for the packages of all platforms.
    const known = new RegExp(`Module parse failed|Can't resolve 'ferronet-(?:${targets().join('|')})'`);
    const others = [...errors, ...warnings].filter(({ message }) => !known.test(message));
    mustNotWarn(
      'webpack',
      others.map(({ message }) => message),
    );
    mustExplain('app.cjs', takenAway(cwd, 'swallowed'), "externals: { ferronet: 'commonjs ferronet' }");
    tried('swallowed: explained');
  },
};

/** What plugins for assets make of a file that is not JavaScript: all that is left of it is a path. */
const paths = {
  name: 'paths',
  load: (/** @type {string} */ id) => (id.endsWith('.node') ? "export default './addon.node'" : null),
};

/** @type {Case} */
const rollupCase = {
  name: 'rollup',
  tries: ['external', 'swallowed: explained'],
  async run(packages, tried) {
    const { rollup } = load('rollup', 'rollup');
    const plugins = () => [
      paths,
      load('rollup', '@rollup/plugin-node-resolve').default({ preferBuiltins: true }),
      load('rollup', '@rollup/plugin-commonjs').default(),
    ];
    const cwd = installedProject('rollup', packages, FILES);
    /**
     * @param {string} out
     * @param {(string | RegExp)[]} external
     */
    const write = async (out, external) => {
      /** @type {unknown[]} */
      const warnings = [];
      const onwarn = (/** @type {{ message: string }} */ { message }) => warnings.push(message);
      const bundle = await rollup({ input: path.join(cwd, 'app.mjs'), external, plugins: plugins(), onwarn });
      await bundle.write({ file: path.join(cwd, out, 'app.mjs'), format: 'es' });
      await bundle.write({ file: path.join(cwd, out, 'app.cjs'), format: 'cjs' });
      return warnings;
    };
    mustNotWarn('rollup', await write('external', ['ferronet', /^node:/]));
    for (const file of ['app.mjs', 'app.cjs']) mustEcho(node, [path.join('external', file)], cwd);
    tried('external');

    await write('swallowed', [/^node:/]);
    for (const file of ['app.mjs', 'app.cjs']) mustExplain(file, takenAway(cwd, 'swallowed'), 'rollup: external');
    tried('swallowed: explained');
  },
};

/** @type {Case} */
const vite = {
  name: 'vite ssr',
  tries: ['by default', 'swallowed: explained'],
  async run(packages, tried) {
    const { build } = await import(pathToFileURL(fileOf('vite', 'vite', 'dist', 'node', 'index.js')).href);
    const cwd = installedProject('vite', packages, FILES);
    /**
     * @param {string} outDir
     * @param {object} ssr
     */
    const write = (outDir, ssr) =>
      build({
        root: cwd,
        configFile: false,
        logLevel: 'silent',
        ssr,
        plugins: [paths],
        build: { ssr: 'app.mjs', outDir },
      });
    await write('external', {});
    mustEcho(node, [path.join('external', 'app.mjs')], cwd);
    tried('by default');

    await write('swallowed', { noExternal: true });
    mustExplain('app.mjs', takenAway(cwd, 'swallowed'), 'vite: ssr');
    tried('swallowed: explained');
  },
};

/** @type {Case} */
const nft = {
  name: '@vercel/nft',
  tries: ['CommonJS', 'ES module', 'register'],
  async run(packages, tried) {
    const { nodeFileTrace } = load('nft', '@vercel/nft');
    const cwd = installedProject('nft', packages, FILES);
    fs.writeFileSync(
      path.join(cwd, 'with-register.cjs'),
      "require('ferronet/register');\nrequire('./registered.cjs');\n",
    );
    /**
     * Copies what was found to a folder of its own, and runs it there.
     * @param {string} entry
     */
    const trace = async (entry) => {
      const { fileList } = await nodeFileTrace([path.join(cwd, entry)], { base: cwd });
      const alone = outside(cwd, 'traced');
      for (const file of fileList) fs.cpSync(path.join(cwd, file), path.join(alone, file));
      mustEcho(node, [entry], alone);
    };
    await trace('app.cjs');
    tried('CommonJS');
    await trace('app.mjs');
    tried('ES module');
    await trace('with-register.cjs');
    tried('register');
  },
};

module.exports = { bundlers: [esbuild, webpackCase, rollupCase, vite, nft] };
