// The package evaluated once more, inside of a vm context with intrinsics of its own, as test runners do it: its files run
// there, and what is not JavaScript (Node's modules, the addon) comes from outside.
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { compileFunction, type Context } from 'node:vm';

interface Loaded {
  exports: unknown;
}

/** What `name` exports when it is evaluated in `context`. A module of Node's is the one that there is. */
export function requireIn(context: Context, name: string): unknown {
  if (isBuiltin(name)) return require(name);
  const loaded = new Map<string, Loaded>();
  const load = (file: string): unknown => {
    if (file.endsWith('.node')) return require(file);
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module: Loaded = { exports: {} };
    loaded.set(file, module);
    const outer = createRequire(file);
    const inner = Object.assign(
      (wanted: string): unknown => (isBuiltin(wanted) ? require(wanted) : load(outer.resolve(wanted))),
      { resolve: outer.resolve },
    );
    const names = ['exports', 'require', 'module', '__filename', '__dirname'];
    const run = compileFunction(readFileSync(file, 'utf8'), names, { filename: file, parsingContext: context });
    Reflect.apply(run, module.exports, [module.exports, inner, module, file, dirname(file)]);
    return module.exports;
  };
  return load(require.resolve(name));
}
