// Where `net` leads once `ferronet/register` is loaded. Also the hook of `import`, which older Nodes load in a thread of
// its own.
import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** dist/entry → dist, whose modules reach Node's own net by the names that lead to ours elsewhere. */
const dist: URL = new URL('../', pathToFileURL(__filename));
const folder: string = fileURLToPath(dist);

/** One file each way, so that both ways give the same classes. */
interface Target {
  import: string;
  require: string;
}

function leadTo(importing: string, requiring: string): Target {
  return { import: new URL(importing, dist).href, require: new URL(requiring, dist).href };
}

const net: Target = leadTo('../index.mjs', 'index.js');
const promises: Target = leadTo('entry/promises.js', 'entry/promises.js');
const targets: Readonly<Partial<Record<string, Target>>> = {
  net,
  'node:net': net,
  // A module of its own in Node from version 27 on.
  'net/promises': promises,
  'node:net/promises': promises,
};

/**
 * Where `specifier` leads to, unless one of our own modules asks. Undefined: wherever it led before.
 *
 * @param parent the path or the URL of the module that asks
 */
export function redirect(specifier: string, parent: string | null | undefined): Target | undefined {
  if (!Object.hasOwn(targets, specifier)) return undefined;
  const isOurs = parent?.startsWith(dist.href) || parent?.startsWith(folder);
  return isOurs ? undefined : targets[specifier];
}

/** The hook of `import`. Both kinds of hooks take its answer: what the default gives, a promise or not, is passed on. */
export function resolve<T>(
  specifier: string,
  context: ResolveHookContext,
  next: (specifier: string, context: ResolveHookContext) => T,
): T | ResolveFnOutput {
  const target = redirect(specifier, context.parentURL);
  if (target === undefined) return next(specifier, context);
  const url = target.import;
  return { url, format: url.endsWith('.mjs') ? 'module' : 'commonjs', shortCircuit: true };
}
