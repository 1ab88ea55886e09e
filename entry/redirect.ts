// What `net` resolves to once `ferronet/register` is loaded. This file is also the `resolve` hook of `import`, which older
// versions of Node load in a thread of its own.
import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** dist/: its modules still get Node's own net by the names that are redirected for all others. */
const dist: URL = new URL('../', pathToFileURL(__filename));
const folder: string = fileURLToPath(dist);

/** The file for each way to load it; both give the same classes. */
interface Target {
  import: string;
  require: string;
}

function target(importing: string, requiring: string): Target {
  return { import: pathToFileURL(importing).href, require: pathToFileURL(requiring).href };
}

// Whole paths from __dirname: tools that trace the files of a program follow those.
const net: Target = target(join(__dirname, '../../index.mjs'), join(__dirname, '../index.js'));
const promises: Target = target(join(__dirname, 'promises.js'), join(__dirname, 'promises.js'));
const targets: Readonly<Partial<Record<string, Target>>> = {
  net,
  'node:net': net,
  // A module since Node 27.
  'net/promises': promises,
  'node:net/promises': promises,
};

/**
 * The replacement of `specifier`, or undefined if it is not redirected: another name, or a module of ferronet requires it.
 *
 * @param parent the path or the URL of the importing module
 */
export function redirect(specifier: string, parent: string | null | undefined): Target | undefined {
  if (!Object.hasOwn(targets, specifier)) return undefined;
  const isInternal = parent?.startsWith(dist.href) || parent?.startsWith(folder);
  return isInternal ? undefined : targets[specifier];
}

/** The hook of `import`, synchronous or not: what the default hook returns, a promise or not, is passed on. */
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
