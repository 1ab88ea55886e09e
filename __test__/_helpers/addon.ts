// The native addon by itself, as a build leaves it in the root of the clone.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type * as Native from '../../binding.js';

const root = join(__dirname, '..', '..');
const name = readdirSync(root).find((file) => /^ferronet\..+\.node$/.test(file));

/** The path of the addon. */
export const file: string = join(root, String(name));

export function addon(): typeof Native {
  return require(file) as typeof Native;
}
