// Modules of Node's that are loaded on first use: each costs as much as a dozen modules of this package, and a program may
// never need it.
import type * as ChildProcess from 'node:child_process';
import type * as Cluster from 'node:cluster';
import type * as Dns from 'node:dns';
import type * as Net from 'node:net';
import type * as Vm from 'node:vm';
import type * as Threads from 'node:worker_threads';

/** Whether the program, or Node itself, has loaded a module of Node's: `cluster`, `child_process`. */
export function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes(`NativeModule ${name}`) ?? false;
}

export function childProcess(): typeof ChildProcess {
  return require('node:child_process') as typeof ChildProcess;
}

export function cluster(): typeof Cluster {
  return require('node:cluster') as typeof Cluster;
}

export function nodeNet(): typeof Net {
  return require('node:net') as typeof Net;
}

export function dns(): typeof Dns {
  return require('node:dns') as typeof Dns;
}

export function threads(): typeof Threads {
  return require('node:worker_threads') as typeof Threads;
}

export function vm(): typeof Vm {
  return require('node:vm') as typeof Vm;
}
