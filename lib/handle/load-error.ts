// The error of an addon that is missing or does not load: for which platform, what was looked for, and what to do about it.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isNativeError } from 'node:util/types';

/** Defined by webpack in what it bundles. */
declare const __webpack_require__: unknown;

/** Why the addon did not load. */
type Fault = 'bundled' | 'missing' | 'disabled' | 'broken' | 'unsupported';

/** Node's own codes for such faults. */
const codes: Record<Fault, string> = {
  bundled: 'MODULE_NOT_FOUND',
  missing: 'MODULE_NOT_FOUND',
  disabled: 'ERR_DLOPEN_DISABLED',
  broken: 'ERR_DLOPEN_FAILED',
  unsupported: 'MODULE_NOT_FOUND',
};

function firstLine(error: unknown): string {
  const text = isNativeError(error) ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}

/** The module that was not found, if that is what happened. */
function notFound(text: string): string | undefined {
  return /^Cannot find module '([^']+)'/.exec(text)?.[1];
}

/** What bundlers leave of a file or a variable that they know nothing about. */
const MARKS_OF_BUNDLERS =
  /^Module parse failed|^Dynamic require of|^Could not dynamically require|(?:require|__dirname|__filename) is not defined/;

/** What this reads of the manifest of the package. */
interface Manifest {
  name?: string;
  version?: string;
  optionalDependencies?: Record<string, string>;
}

/** The package around this code. */
interface Package {
  folder: string;
  manifest: Manifest;
}

/** The package, if this code still is where it was installed. */
function packageAround(): Package | undefined {
  if (typeof __filename === 'undefined') return undefined;
  // In dist/, or in a folder of it.
  for (const up of ['..', join('..', '..')]) {
    const folder = join(dirname(__filename), up);
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
      if (manifest.name === 'ferronet') return { folder, manifest };
    } catch {
      // There is none, or it may not be read.
    }
  }
  return undefined;
}

function faultOf(texts: string[], loaded: unknown, home: Package | undefined): Fault {
  if (loaded !== undefined) return 'bundled';
  if (texts.length === 0) return 'unsupported';
  if (texts.some((text) => MARKS_OF_BUNDLERS.test(text))) return 'bundled';
  if (texts.some((text) => text.includes('addons is disabled'))) return 'disabled';
  if (!texts.every((text) => notFound(text) !== undefined)) return 'broken';
  return home === undefined ? 'bundled' : 'missing';
}

/** Installed packages of other platforms: they show for which system npm has run. */
function installedInstead(root: string, wanted: string): string[] {
  const found = new Set<string>();
  // Beside the package, and in the folders above it.
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const names = readdirSync(join(dirname(folder), 'node_modules'));
      for (const name of names) if (/^ferronet-\w+-\w+/.test(name) && name !== wanted) found.add(name);
    } catch {
      // There is none, or it may not be read.
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
      'From inside an asar archive Electron loads a copy in a temporary file, which not every system lets it load. Leave ' +
      `addons beside the archive: ${UNPACK} If this one is beside it, it belongs to another system.`
    );
  }
  return (
    'The program was packed without it. Install for the platform that you pack for, and leave addons beside the asar ' +
    `archive: ${UNPACK}`
  );
}

/** What to write in the configuration of a bundler. */
function whatToLeaveOut(wanted: string): string {
  const webpack = "webpack: target: 'node', externals: { ferronet: 'commonjs ferronet' }";
  const others = [
    'esbuild: --external:ferronet, or --loader:.node=copy, which puts the addon beside the bundle',
    "rollup: external: ['ferronet']",
    "vite: ssr: { external: ['ferronet'] }",
  ];
  const isWebpack = typeof __webpack_require__ !== 'undefined';
  return [
    'A bundler has taken ferronet into its bundle, and the addon is a file that cannot be in one. Leave ferronet out:',
    ...(isWebpack ? [webpack] : [webpack, ...others]).map((line) => `  ${line}`),
    `and have node_modules/ferronet and node_modules/${wanted} where the program runs.`,
  ].join('\n');
}

/**
 * For a package that a clone has packed. Its manifest does not name the package of the platform, so npm has left nothing out,
 * and advice to install that by its name would fetch whatever a registry has under this name.
 */
function whatToPackInClone(platform: string, version = '*'): string {
  const folder = `npm/${platform}`;
  return [
    'This package was packed from a clone of the repository, without the addon, which has a package of its own. In the clone:',
    `  cp ferronet.${platform}.node ${folder}/ && npm pack --ignore-scripts . ./${folder}`,
    `and install both archives here: ferronet-${version}.tgz and ferronet-${platform}-${version}.tgz.`,
  ].join('\n');
}

function whatToDo(fault: Fault, home: Package | undefined, platform: string): string {
  const wanted = `ferronet-${platform}`;
  const isPacked = typeof __filename !== 'undefined' && /\.asar[\\/]/.test(__filename);
  switch (fault) {
    case 'bundled':
      return whatToLeaveOut(wanted);
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
  if (home !== undefined && existsSync(join(home.folder, 'Cargo.toml')))
    return 'This is a clone of the repository: npm run build makes it.';
  if (isPacked) return whatToPack('missing');
  if (home !== undefined && home.manifest.optionalDependencies?.[wanted] === undefined)
    return whatToPackInClone(platform, home.manifest.version);
  const others = home === undefined ? [] : installedInstead(home.folder, wanted);
  if (others.length > 0) {
    return (
      `There is ${others.join(', ')}: this was installed for another system. Do not copy node_modules from one system ` +
      'to another; remove it and run npm install where the program runs.'
    );
  }
  return (
    'It is an optional dependency that npm has left out: because of --omit=optional, or because package-lock.json was ' +
    'written on another system (https://github.com/npm/cli/issues/4828). Remove node_modules and package-lock.json and ' +
    `run npm install, or name it: npm install ${wanted}.`
  );
}

/** What came instead of the addon. */
function described(loaded: unknown): string {
  return `${typeof loaded === 'string' ? JSON.stringify(loaded) : typeof loaded} is not the addon`;
}

/**
 * @param platform the end of the names of the addon and of its package
 * @param failures what each candidate has thrown
 * @param loaded what a candidate gave that is not the addon
 * @returns an error with Node's code: `MODULE_NOT_FOUND`, `ERR_DLOPEN_DISABLED` or `ERR_DLOPEN_FAILED`
 */
export function loadError(platform: string, failures: readonly unknown[], loaded: unknown): NodeJS.ErrnoException {
  const texts = failures.map(firstLine);
  const home = packageAround();
  const fault = faultOf(texts, loaded, home);
  const libc = platform.endsWith('-musl') ? ', musl' : platform.endsWith('-gnu') ? ', glibc' : '';
  const lines = [
    `ferronet has no native binding for ${process.platform} ${process.arch}${libc}, Node ${process.versions.node}.`,
    ...texts.map((text) => `- ${notFound(text) === undefined ? text : `${notFound(text)} is not there`}`),
    ...(loaded === undefined ? [] : [`- ${described(loaded)}`]),
    whatToDo(fault, home, platform),
  ];
  const cause =
    failures[
      Math.max(
        0,
        texts.findIndex((text) => notFound(text) === undefined),
      )
    ];
  return Object.assign(new Error(lines.join('\n'), { cause }), { code: codes[fault] });
}
