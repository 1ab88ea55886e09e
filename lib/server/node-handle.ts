// Conversion between Node's handles and ferronet's. A handle of one kind is made of a duplicate of the other's descriptor. On
// Windows the numbers of TCP sockets take the place of descriptors, and pipes have none.
import type * as Net from 'node:net';

import { errnoException, uvErrno } from '../errors/errors.js';
import { duplicateDescriptor, referencedSockets } from '../handle/binding.js';
import { createNodeHandle, type NodeHandle, type NodeStreamHandle, nodeTCP } from '../handle/node-classes.js';
import type { StreamHandle } from '../handle/stream.js';
import { TCP } from '../handle/tcp.js';
import { nodeNet } from '../node/modules.js';
import type { ListenerHandle } from './core.js';
import { createHandle } from '../handle/descriptor.js';

const isWindows: boolean = process.platform === 'win32';
const UV_ENOTSUP: number = uvErrno('ENOTSUP');

/** A handle of Node's that can listen. */
export type NodeListener = NodeHandle & ListenerHandle;

/**
 * The descriptor of a handle of Node's. On Windows Node does not expose the number of the socket: it is the one that
 * disappears from those that keep the loop alive when the handle is unref'd.
 */
function numberOf(handle: NodeHandle): number {
  if (!isWindows) return handle.fd;
  const hadRef = handle.hasRef();
  handle.ref();
  const before = referencedSockets();
  handle.unref();
  const others = new Set(referencedSockets());
  if (hadRef) handle.ref();
  return before.find((socket) => !others.has(socket)) ?? -1;
}

/** A ferronet handle for what a handle of Node's has open, or a negative error. Node's stays open. */
export function shareNodeHandle(shared: NodeHandle, forServer: boolean): StreamHandle | number {
  const fd = duplicateDescriptor(numberOf(shared));
  if (fd < 0) return fd;
  const handle = isWindows ? new TCP(forServer ? TCP.SERVER : TCP.SOCKET) : createHandle(fd, forServer);
  const errno = handle.open(fd);
  return errno < 0 ? errno : handle;
}

/**
 * The handle with which a server listens if it is given one of Node's: that handle itself, whose connections are converted
 * one by one (`ownHandle`). On Windows, where finding the number of each would take too long, a ferronet handle for the same
 * socket, or a negative error.
 */
export function listenerOfNode(given: NodeListener): ListenerHandle | number {
  return isWindows && given instanceof nodeTCP() ? takeNodeHandle(given, true) : given;
}

/** A ferronet handle for a connection that Node's has accepted, or Node's if it cannot be converted. */
export function ownHandle(accepted: NodeHandle): StreamHandle | NodeHandle {
  const handle = isWindows ? UV_ENOTSUP : shareNodeHandle(accepted, false);
  if (typeof handle === 'number') return accepted;
  accepted.close();
  return handle;
}

/** As `shareNodeHandle`, but closes Node's handle, even on failure. */
export function takeNodeHandle(taken: NodeHandle, forServer = false): StreamHandle | number {
  const handle = shareNodeHandle(taken, forServer);
  taken.close();
  return handle;
}

/** A handle of Node's over the number of a socket, which it owns. */
function openNodeTCP(socket: number, type: number): NodeStreamHandle {
  const handle = new (nodeTCP())(type);
  const errno = handle.open(socket);
  if (errno < 0) throw errnoException(errno, 'open');
  return handle;
}

/** A handle of Node's for a server, over a descriptor that it owns. */
export function nodeServerHandleOf(fd: number): NodeHandle {
  return isWindows ? openNodeTCP(fd, TCP.SERVER) : createNodeHandle(null, 0, 0, fd);
}

/** A server of Node's with this handle, which does not listen. */
export function nodeServerOf(handle: NodeHandle): Net.Server {
  const { Server } = nodeNet();
  return Object.assign(new Server(), { _handle: handle });
}

/** A socket of Node's that does not read, over a descriptor that it owns. */
export function nodeSocketOf(fd: number): Net.Socket & { _handle: NodeHandle | null } {
  const { Socket } = nodeNet();
  const open = isWindows ? { handle: openNodeTCP(fd, TCP.SOCKET) } : { fd };
  return new Socket({ ...open, readable: false, writable: true }) as Net.Socket & { _handle: NodeHandle | null };
}
