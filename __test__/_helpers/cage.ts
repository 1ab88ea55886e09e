// The memory cage of Electron in Node: a preloaded library (`_native/no-external-buffers.c`) that refuses Buffers and
// ArrayBuffers over memory that is not JavaScript's, and notes it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { compile } from './native.js';

export interface Cage {
  /** What processes need in their environment to be caged, and all that they start. */
  environment: { LD_PRELOAD: string; FERRONET_CAGE_LOG: string };
  /** The requests of an addon to find the forbidden functions, and the calls of those. */
  count(): { asked: number; refused: number };
  remove(): void;
}

/** Where `missing` of `native.ts` returns nothing. */
export function cage(): Cage {
  const { folder, files, remove } = compile('no-external-buffers');
  const log = join(folder, 'log');
  return {
    environment: { LD_PRELOAD: files[0]!, FERRONET_CAGE_LOG: log },
    count() {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
      const starting = (word: string): number => lines.filter((line) => line.startsWith(word)).length;
      return { asked: starting('asked'), refused: starting('refused') };
    },
    remove,
  };
}
