// `ferronet/register`, for `--import`, `--require` and NODE_OPTIONS: from then on `net` and `node:net` are ferronet for every
// module of the thread, required or imported. ferronet itself still gets Node's net, and so does a call of
// `process.getBuiltinModule`, which returns the original by definition.
import nodeModule = require('node:module');
import { fileURLToPath, pathToFileURL } from 'node:url';

import { redirect, resolve } from './redirect.js';
import { preloadInCodeWorkers } from './register/code-worker.js';

/** Missing in the typings of the oldest Node. */
interface Hooks {
  /** Since 22.15 and 23.5. */
  registerHooks?: (hooks: { resolve: typeof resolve }) => unknown;
}

interface Loader {
  _load: (request: string, parent: { filename?: string | null } | undefined, ...rest: unknown[]) => unknown;
}

// `Module._load` is the only way that works in every version: `require` calls no hooks before there are synchronous ones, and
// the first versions that have those fail when a hook redirects a name with `node:`.
function redirectRequire(): void {
  const loader = nodeModule as unknown as Loader;
  const load = loader._load;
  loader._load = function _load(request, parent, ...rest) {
    const target = redirect(request, parent?.filename);
    return Reflect.apply(load, this, [target ? fileURLToPath(target.require) : request, parent, ...rest]);
  };
}

// Versions without synchronous hooks run them in a thread of their own.
function redirectImport(): void {
  const { registerHooks } = nodeModule as Hooks;
  if (registerHooks) registerHooks({ resolve });
  else nodeModule.register(pathToFileURL(require.resolve('./redirect.js')));
}

// A child inherits the arguments. Forked with another working directory, it could not resolve the name there.
function nameByPath(): void {
  const paths: Readonly<Partial<Record<string, string>>> = {
    '--import': pathToFileURL(__filename).href,
    '--require': __filename,
    '-r': __filename,
  };
  process.execArgv.forEach((argument, at) => {
    const { 0: option = '', 1: name = argument } = argument.split(/=(.*)/s);
    const separate = process.execArgv[at - 1] ?? '';
    if (name !== 'ferronet/register') return;
    if (name === argument) process.execArgv[at] = paths[separate] ?? argument;
    else if (paths[option] !== undefined) process.execArgv[at] = `${option}=${paths[option]}`;
  });
}

if (process.versions['bun'] === undefined) {
  redirectRequire();
  redirectImport();
  nameByPath();
  preloadInCodeWorkers(__filename);
} else {
  // Bun resolves its built-in modules without hooks.
  process.emitWarning("in Bun, net stays Bun's own: require('ferronet') by its name", 'FerronetWarning');
}
