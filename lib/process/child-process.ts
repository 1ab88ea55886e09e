// Child processes, and the process above this one: their channels take and give what is ours, and a socket may be their
// standard input or output. This file is loaded with the package and loads nothing of Node's.
import { subscribe } from 'node:diagnostics_channel';

import { StreamHandle } from '../handle/stream.js';
import type * as Ipc from './ipc.js';
import type { IpcChannel } from './channel.js';
import { childProcess, isLoaded } from '../node/modules.js';
import { shareWithChild } from '../stream/quiesce.js';
import { kState } from '../stream/state.js';
import { Socket } from '../socket/socket.js';

type Stdio = readonly unknown[] | string | null | undefined;

/** A `ChildProcess`, or its prototype. */
interface Spawning {
  spawn(this: object, options: { stdio?: Stdio }): unknown;
}

function attachIfChannel(owner: object): void {
  if (typeof (owner as Partial<IpcChannel>)._send !== 'function') return;
  const { attachChannel } = require('./ipc.js') as typeof Ipc;
  attachChannel(owner as IpcChannel);
}

/**
 * Replaces sockets by their descriptors, which the child reads and writes from now on.
 *
 * @throws Error ERR_INVALID_STATE if the child would miss bytes that were read ahead, or write into the middle of a write
 */
function giveDescriptors(stdio: readonly unknown[]): unknown[] {
  return stdio.map((item) => {
    if (!(item instanceof Socket)) return item;
    const { handle, exposed } = item[kState];
    const fd = handle instanceof StreamHandle ? handle.descriptor : (exposed?.fd ?? -1);
    if (handle === null || fd < 0) return item;
    if (handle instanceof StreamHandle) shareWithChild(item, handle);
    else handle.readStop();
    item.pause();
    return fd;
  });
}

let isPatched = false;

/** The channel and the streams of a child are made by `spawn`, whatever was called to have one. */
function patch(prototype: Spawning): void {
  if (isPatched) return;
  isPatched = true;
  const original = prototype.spawn;
  prototype.spawn = function spawn(options) {
    if (Array.isArray(options?.stdio)) options.stdio = giveDescriptors(options.stdio);
    const answer = Reflect.apply(original, this, [options]);
    attachIfChannel(this);
    return answer;
  };
}

function patchAtFirst(message: unknown): void {
  patch(Object.getPrototypeOf((message as { process: object }).process) as Spawning);
}

/** `child_process` tells of each `ChildProcess` as it is made, so the program may load it when it likes. */
subscribe('child_process', patchAtFirst);
attachIfChannel(process);

// The children that are there already.
if (isLoaded('child_process')) {
  const { ChildProcess } = childProcess();
  patch(ChildProcess.prototype as unknown as Spawning);
  const { _getActiveHandles: active } = process as { _getActiveHandles?: () => object[] };
  for (const each of active?.() ?? []) if (each instanceof ChildProcess) attachIfChannel(each);
}
