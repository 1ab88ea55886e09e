// Between Node's handles and ours. Both know descriptors, and nothing else in common: a handle of the one is made of a
// second descriptor of what the other has open.
import type * as Net from 'node:net';

import { errnoException } from './errors.js';
import { duplicateDescriptor, type StreamHandle } from './handle.js';
import { nodeNet } from './node-modules.js';
import { createHandle } from './socket-options.js';

/** What is asked of a `TCP` or `Pipe` of Node's. */
export interface NodeHandle {
  /** -1 where handles are no descriptors (Windows). */
  readonly fd: number;
  close(): void;
}

/** A handle of ours for what Node's has open; or a negative error. Node's stays open. */
export function shareNodeHandle(shared: NodeHandle, forServer: boolean): StreamHandle | number {
  const fd = duplicateDescriptor(shared.fd);
  if (fd < 0) return fd;
  const handle = createHandle(fd, forServer);
  const errno = handle.open(fd);
  return errno < 0 ? errno : handle;
}

/** As `shareNodeHandle`, for an accepted connection, and Node's is closed: also when this fails. */
export function takeNodeHandle(taken: NodeHandle): StreamHandle | number {
  const handle = shareNodeHandle(taken, false);
  taken.close();
  return handle;
}

/** A handle of Node's for a server, over a descriptor that belongs to it from then on. */
export function nodeServerHandleOf(fd: number): NodeHandle {
  const { _createServerHandle } = nodeNet() as unknown as {
    _createServerHandle: (address: null, port: number, addressType: number, fd: number) => NodeHandle | number;
  };
  const handle = _createServerHandle(null, 0, 0, fd);
  if (typeof handle === 'number') throw errnoException(handle, 'open');
  return handle;
}

/** A server of Node's that has this handle and accepts nothing. */
export function nodeServerOf(handle: NodeHandle): Net.Server {
  const { Server } = nodeNet();
  return Object.assign(new Server(), { _handle: handle });
}

/** A socket of Node's that reads nothing, over a descriptor that belongs to it from then on. */
export function nodeSocketOf(fd: number): Net.Socket & { _handle: NodeHandle | null } {
  const { Socket } = nodeNet();
  return new Socket({ fd, readable: false, writable: true }) as Net.Socket & { _handle: NodeHandle | null };
}
