// Workers with the `eval` option. Node applies `--require` to them, but not `--import`, because the code runs without the
// module loader.
import { syncBuiltinESMExports } from 'node:module';
import threads = require('node:worker_threads');

import { define } from '../../lib/node/define.js';

const { Worker } = threads;

/** Removes flags of the whole process, such as V8's: a worker inherits them, but rejects them in `execArgv`, by name. */
function withoutRefused(flags: readonly string[], error: unknown): string[] {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
  const refused = new Set(message.slice(message.indexOf(': ') + 2).split(', '));
  return flags.filter((flag) => !refused.has(flag));
}

/**
 * Makes workers with the `eval` option preload `file`, unless they have an `execArgv` option, which replaces all inherited
 * flags.
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
