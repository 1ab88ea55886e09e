// What the package says of itself.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Manifest {
  version: string;
}

/** The folder of the package: this runs in dist/entry/. */
export const root: string = join(dirname(__filename), '..', '..');

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}
