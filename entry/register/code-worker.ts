// Workers made of code. Node preloads for them what `--require` names, but imports nothing of what `--import` does, since
// a script is run without the loader of modules.
import { syncBuiltinESMExports } from 'node:module';
import threads = require('node:worker_threads');

import { define } from '../../lib/node/define.js';

const { Worker } = threads;

/** What concerns the whole process, such as V8's flags, is inherited, but refused where it is said anew: it is named then. */
function withoutRefused(flags: readonly string[], error: unknown): string[] {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
  const refused = new Set(message.slice(message.indexOf(': ') + 2).split(', '));
  return flags.filter((flag) => !refused.has(flag));
}

/**
 * From now on a worker made of code preloads `file`, unless it is given flags of its own, which stand for all that it
 * would inherit.
 */
export function preloadInCodeWorkers(file: string): void {
  const registered = class extends Worker {
    constructor(filename: string | URL, options?: threads.WorkerOptions) {
      if (!options?.eval || options.execArgv !== undefined) {
        super(filename, options);
        return;
      }
      const preload = ['--require', file];
      try {
        super(filename, { ...options, execArgv: [...process.execArgv, ...preload] });
      } catch (error) {
        super(filename, { ...options, execArgv: [...withoutRefused(process.execArgv, error), ...preload] });
      }
    }
  };
  define(registered, 'name', { value: Worker.name });
  threads.Worker = registered;
  syncBuiltinESMExports();
}
