// Child processes and the parent process: ferronet's sockets and servers can be sent over their channels, and be the stdio of
// a child. This file is loaded with the package, and loads no module of Node's that the program has not loaded.
import { subscribe } from 'node:diagnostics_channel';

import { ERR_INVALID_ARG_VALUE } from '../errors/errors.js';
import type { ForeignHandle } from '../handle/foreign.js';
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
 * Replaces sockets by their descriptors, which the child inherits.
 *
 * @throws TypeError ERR_INVALID_ARG_VALUE for a socket whose handle is not open, as Node does for one without a handle; Error
 * ERR_INVALID_STATE if the child would miss bytes that were read ahead, or write into the middle of a write
 */
function giveDescriptors(stdio: readonly unknown[]): unknown[] {
  return stdio.map((item) => {
    if (!(item instanceof Socket)) return item;
    const { handle, exposed } = item[kState];
    const fd = handle instanceof StreamHandle ? handle.descriptor : (exposed?.fd ?? -1);
    if (handle === null) return item;
    if (fd < 0) {
      // With a closed handle of its own, Node aborts the process.
      if (handle instanceof StreamHandle || (handle as ForeignHandle).status === 0) return item;
      throw new ERR_INVALID_ARG_VALUE('stdio', item);
    }
    if (handle instanceof StreamHandle) shareWithChild(item, handle);
    else handle.readStop();
    item.pause();
    return fd;
  });
}

let isPatched = false;

/** Patches `spawn`, which every function that starts a child calls to make its channel and its streams. */
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

/** Node publishes each new `ChildProcess` on this channel, so `child_process` need not be loaded here. */
subscribe('child_process', patchAtFirst);
attachIfChannel(process);

// Children that were started before.
if (isLoaded('child_process')) {
  const { ChildProcess } = childProcess();
  patch(ChildProcess.prototype as unknown as Spawning);
  const { _getActiveHandles: active } = process as { _getActiveHandles?: () => object[] };
  for (const each of active?.() ?? []) if (each instanceof ChildProcess) attachIfChannel(each);
}
