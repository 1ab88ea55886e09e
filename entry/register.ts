// `ferronet/register`, for `--import`, `--require` and NODE_OPTIONS: from then on `net` and `node:net` are ours for every
// module of the thread, required or imported. Ours itself reaches Node's own, and so does whoever asks
// `process.getBuiltinModule`, which gives the original by its definition.
import nodeModule = require('node:module');
import { fileURLToPath, pathToFileURL } from 'node:url';

import { redirect, resolve } from './redirect.js';
import { preloadInCodeWorkers } from './register/code-worker.js';

/** What is not in the typings of the oldest Node, or not public in any. */
interface Hooks {
  /** Since 22.15 and 23.5. */
  registerHooks?: (hooks: { resolve: typeof resolve }) => unknown;
}

interface Loader {
  _load: (request: string, parent: { filename?: string | null } | undefined, ...rest: unknown[]) => unknown;
}

// The one way for all Nodes: `require` asks no hooks before there are synchronous ones, and the first Nodes that have them
// fail when one leads a name with `node:` elsewhere.
function redirectRequire(): void {
  const loader = nodeModule as unknown as Loader;
  const load = loader._load;
  loader._load = function _load(request, parent, ...rest) {
    const target = redirect(request, parent?.filename);
    return Reflect.apply(load, this, [target ? fileURLToPath(target.require) : request, parent, ...rest]);
  };
}

// Without synchronous hooks, those in a thread of their own.
function redirectImport(): void {
  const { registerHooks } = nodeModule as Hooks;
  if (registerHooks) registerHooks({ resolve });
  else nodeModule.register(pathToFileURL(require.resolve('./redirect.js')));
}

// A child that is forked with another working directory inherits the arguments, and would look for us there.
function nameByPath(): void {
  const ways: Readonly<Partial<Record<string, string>>> = {
    '--import': pathToFileURL(__filename).href,
    '--require': __filename,
    '-r': __filename,
  };
  process.execArgv.forEach((argument, at) => {
    const { 0: option = '', 1: name = argument } = argument.split(/=(.*)/s);
    const separate = process.execArgv[at - 1] ?? '';
    if (name !== 'ferronet/register') return;
    if (name === argument) process.execArgv[at] = ways[separate] ?? argument;
    else if (ways[option] !== undefined) process.execArgv[at] = `${option}=${ways[option]}`;
  });
}

if (process.versions['bun'] === undefined) {
  redirectRequire();
  redirectImport();
  nameByPath();
  preloadInCodeWorkers(__filename);
} else {
  // It asks nobody about the modules that it has itself.
  process.emitWarning("in Bun, net stays Bun's own: require('ferronet') by its name", 'FerronetWarning');
}
