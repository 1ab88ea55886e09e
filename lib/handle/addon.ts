/**
 * The only module that loads the native addon: the file that a build leaves in the root of a clone, or the package of this
 * platform. Literal `require`s, each in a `try` of its own, let bundlers, file tracers and Electron's packagers find the
 * addon, and go on without those of other platforms. The paths are the ones from `dist/lib/handle`, and scripts/bundle.js
 * adapts them. The platforms are those of `napi.targets` in package.json.
 */
import { Buffer } from 'node:buffer';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

import type * as Native from '../../binding.js';

/** Defined by webpack in what it bundles. */
declare const __webpack_require__: unknown;

/** The file of Node names the loader of its C library in its first bytes. */
const HEAD_BYTES = 4096;

/** Which C library this process runs on. */
function libc(): 'gnu' | 'musl' {
  // Most systems have no musl at all, and to open a file costs ten times what this does. Without the permission to read,
  // nothing seems to exist.
  const loader = `/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`;
  if (!('permission' in process) && !existsSync(loader)) return 'gnu';
  try {
    const file = openSync(process.execPath, 'r');
    const head = Buffer.alloc(HEAD_BYTES);
    try {
      readSync(file, head, 0, HEAD_BYTES, 0);
    } finally {
      closeSync(file);
    }
    if (head.includes('/ld-musl-')) return 'musl';
    if (head.includes('/ld-linux-')) return 'gnu';
  } catch {
    // No permission to read it.
  }
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'musl' : 'gnu';
}

/** The end of the names of the addon and of its package. */
function platform(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return `${name}-${libc()}`;
  return process.platform === 'win32' ? `${name}-msvc` : name;
}

/**
 * The file that a build leaves in the root of a clone. A bundler that copies addons puts it beside the bundle. webpack, which
 * copies none, would warn of each file that is not there; it leaves out what it knows to be false.
 */
function fromFile(name: string, failed: (error: unknown) => void): unknown {
  if (typeof __webpack_require__ === 'undefined') {
    switch (name) {
      case 'linux-x64-gnu':
        try {
          return require('../../../ferronet.linux-x64-gnu.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'linux-x64-musl':
        try {
          return require('../../../ferronet.linux-x64-musl.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'linux-arm64-gnu':
        try {
          return require('../../../ferronet.linux-arm64-gnu.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'linux-arm64-musl':
        try {
          return require('../../../ferronet.linux-arm64-musl.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'darwin-x64':
        try {
          return require('../../../ferronet.darwin-x64.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'darwin-arm64':
        try {
          return require('../../../ferronet.darwin-arm64.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'win32-x64-msvc':
        try {
          return require('../../../ferronet.win32-x64-msvc.node');
        } catch (error) {
          failed(error);
        }
        break;
      case 'win32-arm64-msvc':
        try {
          return require('../../../ferronet.win32-arm64-msvc.node');
        } catch (error) {
          failed(error);
        }
        break;
      default:
        break;
    }
  }
  return undefined;
}

/** The package of this platform. */
function fromPackage(name: string, failed: (error: unknown) => void): unknown {
  switch (name) {
    case 'linux-x64-gnu':
      try {
        return require('ferronet-linux-x64-gnu');
      } catch (error) {
        failed(error);
      }
      break;
    case 'linux-x64-musl':
      try {
        return require('ferronet-linux-x64-musl');
      } catch (error) {
        failed(error);
      }
      break;
    case 'linux-arm64-gnu':
      try {
        return require('ferronet-linux-arm64-gnu');
      } catch (error) {
        failed(error);
      }
      break;
    case 'linux-arm64-musl':
      try {
        return require('ferronet-linux-arm64-musl');
      } catch (error) {
        failed(error);
      }
      break;
    case 'darwin-x64':
      try {
        return require('ferronet-darwin-x64');
      } catch (error) {
        failed(error);
      }
      break;
    case 'darwin-arm64':
      try {
        return require('ferronet-darwin-arm64');
      } catch (error) {
        failed(error);
      }
      break;
    case 'win32-x64-msvc':
      try {
        return require('ferronet-win32-x64-msvc');
      } catch (error) {
        failed(error);
      }
      break;
    case 'win32-arm64-msvc':
      try {
        return require('ferronet-win32-arm64-msvc');
      } catch (error) {
        failed(error);
      }
      break;
    default:
      break;
  }
  return undefined;
}

/** Whether a bundler has put something else in the place of the addon, such as the path of a copy. */
function isAddon(loaded: unknown): loaded is typeof Native {
  return typeof (loaded as typeof Native | undefined)?.Reactor === 'function';
}

/** Whether this is a clone in which the addon was built: the package of another installation must not be used there. */
function isBuilt(name: string): boolean {
  if (typeof __dirname === 'undefined') return false;
  // This code is in dist/, or in a folder of it.
  const file = `ferronet.${name}.node`;
  return existsSync(join(__dirname, '..', file)) || existsSync(join(__dirname, '..', '..', file));
}

/** @throws an error that says what was looked for, and what to do */
export function loadAddon(): typeof Native {
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  const name = platform();
  const loaded = isBuilt(name)
    ? (fromFile(name, failed) ?? fromPackage(name, failed))
    : // To look for a file that is not there costs more than all the rest.
      (fromPackage(name, failed) ?? fromFile(name, failed));
  if (isAddon(loaded)) return loaded;
  const { loadError } = require('./load-error.js') as typeof import('./load-error.js');
  throw loadError(name, failures, loaded);
}
