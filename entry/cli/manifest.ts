// What the package says of itself.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Manifest {
  version: string;
  repository?: string | { url: string };
}

/** The folder of the package: this runs in dist/entry/. */
export const root: string = join(dirname(__filename), '..', '..');

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}

/** Where the repository is, as a person would open it. */
export function repositoryOf({ repository }: Manifest): string | undefined {
  const url = typeof repository === 'string' ? repository : repository?.url;
  return url?.replace(/^git\+/, '').replace(/\.git$/, '');
}
