// Modules of Node's that are loaded when they are first needed: each takes as long as a dozen of our files, and a program
// may never need it.
import type * as Dns from 'node:dns';
import type * as Threads from 'node:worker_threads';

export function dns(): typeof Dns {
  return require('node:dns') as typeof Dns;
}

export function threads(): typeof Threads {
  return require('node:worker_threads') as typeof Threads;
}
