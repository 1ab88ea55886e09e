// The error of an addon that is missing or does not load: for which platform, what was looked for, and what to do about it.
// `binding.js` tries every candidate and passes on only the messages of the failures, so the cause is found from those.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isNativeError } from 'node:util/types';

/** Why the addon did not load. */
type Fault = 'missing' | 'disabled' | 'broken' | 'unsupported';

/** Node's own codes for such faults. */
const codes: Record<Fault, string> = {
  missing: 'MODULE_NOT_FOUND',
  disabled: 'ERR_DLOPEN_DISABLED',
  broken: 'ERR_DLOPEN_FAILED',
  unsupported: 'MODULE_NOT_FOUND',
};

/** The first line of each error in the chain that `binding.js` throws, in the order in which it tried. */
function attempts(error: unknown): string[] {
  const texts: string[] = [];
  // The outermost error says only that loading failed.
  let each = isNativeError(error) ? error.cause : undefined;
  for (; isNativeError(each); each = each.cause) texts.unshift(each.message.split('\n')[0] ?? '');
  // `binding.js` always looks for a WebAssembly build, which does not exist.
  return texts.filter((text) => !notFound(text)?.includes('wasi'));
}

/** The module that was not found, if that is what happened. */
function notFound(text: string): string | undefined {
  return /^Cannot find module '([^']+)'/.exec(text)?.[1];
}

function faultOf(texts: string[]): Fault {
  if (texts.some((text) => text.includes('addons is disabled'))) return 'disabled';
  if (texts.some((text) => text.startsWith('Unsupported '))) return 'unsupported';
  return texts.every((text) => notFound(text) !== undefined) ? 'missing' : 'broken';
}

/** Installed packages of other platforms: they show for which system npm has run. */
function installedInstead(wanted: string): string[] {
  const found = new Set<string>();
  for (const folder of require.resolve.paths(wanted) ?? []) {
    try {
      for (const name of readdirSync(folder)) if (/^ferronet-\w+-\w+/.test(name) && name !== wanted) found.add(name);
    } catch {
      // The folder does not exist or cannot be read.
    }
  }
  return [...found];
}

const UNPACK =
  'asarUnpack: ["**/*.node"] for electron-builder, packagerConfig: { asar: { unpack: "**/*.node" } } for Electron Forge.';

/** For a program of Electron's that was packed into an archive. */
function whatToPack(fault: 'broken' | 'missing'): string {
  if (fault === 'broken') {
    return (
      'Out of an asar archive Electron loads a copy in a temporary file, which not every system lets it load. Leave ' +
      `addons beside the archive: ${UNPACK} If this one is beside it, it belongs to another system.`
    );
  }
  return (
    'The program was packed without it. Install for the platform that you pack for, and leave addons beside the asar ' +
    `archive: ${UNPACK}`
  );
}

function whatToDo(fault: Fault, root: string, wanted: string | undefined): string {
  const isPacked = /\.asar[\\/]/.test(root);
  switch (fault) {
    case 'disabled':
      return 'This process loads no addons. Beside --permission it needs --allow-addons, and --no-addons must not be set.';
    case 'unsupported':
      return 'There is no build for this platform. A clone of the repository builds one: npm install && npm run build.';
    case 'broken':
      if (isPacked) return whatToPack(fault);
      return (
        'It is there and does not load: it belongs to another system or is damaged. Do not copy node_modules from one ' +
        'system to another; remove it and run npm install where the program runs.'
      );
    case 'missing':
      break;
  }
  if (existsSync(join(root, 'Cargo.toml'))) return 'This is a clone of the repository: npm run build makes it.';
  if (isPacked) return whatToPack('missing');
  const others = wanted === undefined ? [] : installedInstead(wanted);
  if (others.length > 0) {
    return (
      `There is ${others.join(', ')}: this was installed for another system. Do not copy node_modules from one system ` +
      'to another; remove it and run npm install where the program runs.'
    );
  }
  return (
    'It is an optional dependency that npm has left out: because of --omit=optional, or because package-lock.json was ' +
    'written on another system (https://github.com/npm/cli/issues/4828). Remove node_modules and package-lock.json and ' +
    `run npm install${wanted === undefined ? '' : `, or name it: npm install ${wanted}`}.`
  );
}

/**
 * @param error what `binding.js` has thrown; it becomes the `cause`
 * @param loader the file of `binding.js`, in the folder of the package
 * @returns an error with Node's code: `MODULE_NOT_FOUND`, `ERR_DLOPEN_DISABLED` or `ERR_DLOPEN_FAILED`
 */
export function loadError(error: unknown, loader: string): NodeJS.ErrnoException {
  const texts = attempts(error);
  // Any other error is passed on as it is.
  if (texts.length === 0 && isNativeError(error)) return error;
  const wanted = texts.map(notFound).findLast((name) => name?.startsWith('ferronet-'));
  const libc = wanted?.endsWith('-musl') ? ', musl' : wanted?.endsWith('-gnu') ? ', glibc' : '';
  const fault = faultOf(texts);
  const lines = [
    `ferronet has no native binding for ${process.platform} ${process.arch}${libc}, Node ${process.versions.node}.`,
    ...texts.map((text) => `- ${notFound(text) === undefined ? text : `${notFound(text)} is not there`}`),
    whatToDo(fault, dirname(loader), wanted),
  ];
  return Object.assign(new Error(lines.join('\n'), { cause: error }), { code: codes[fault] });
}
