// Between Node's handles and ours. Both know descriptors, and nothing else in common: a handle of the one is made of a
// second descriptor of what the other has open. On Windows the numbers of TCP sockets take the place of descriptors, and
// pipes have none.
import type * as Net from 'node:net';

import { errnoException, uvErrno } from '../errors/errors.js';
import { duplicateDescriptor, referencedSockets } from '../handle/binding.js';
import type { StreamHandle } from '../handle/stream.js';
import { TCP } from '../handle/tcp.js';
import { nodeNet } from '../node/modules.js';
import type { ListenerHandle } from './core.js';
import { createHandle } from '../handle/descriptor.js';

const isWindows: boolean = process.platform === 'win32';
const UV_ENOTSUP: number = uvErrno('ENOTSUP');

/** What is asked of a `TCP` or `Pipe` of Node's. */
export interface NodeHandle {
  /** -1 where handles are no descriptors (Windows). */
  readonly fd: number;
  close(): void;
  hasRef(): boolean;
  ref(): void;
  unref(): void;
}

/** A handle of Node's that can listen. */
export type NodeListener = NodeHandle & ListenerHandle;

/** A `TCP` of Node's. */
interface NodeTCP extends NodeHandle {
  /** Takes the number of a socket over, on Windows as well. */
  open(socket: number): number;
}

interface NodeNet {
  _createServerHandle(address: string | null, port: number, addressType: number, fd?: number): NodeHandle | number;
}

/**
 * What the system knows a handle of Node's by. On Windows Node does not tell: it is the one that goes from the sockets that
 * keep the loop alive when the handle does not.
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

/** A handle of ours for what Node's has open; or a negative error. Node's stays open. */
export function shareNodeHandle(shared: NodeHandle, forServer: boolean): StreamHandle | number {
  const fd = duplicateDescriptor(numberOf(shared));
  if (fd < 0) return fd;
  const handle = isWindows ? new TCP(forServer ? TCP.SERVER : TCP.SOCKET) : createHandle(fd, forServer);
  const errno = handle.open(fd);
  return errno < 0 ? errno : handle;
}

/**
 * What a server listens with when it is given a native handle of Node's: that handle, whose connections are taken over one by
 * one (`ownHandle`). On Windows, where finding the socket of each would take too long, a handle of this package for the same
 * socket, or a negative error.
 */
export function listenerOfNode(given: NodeListener): ListenerHandle | number {
  return isWindows && given instanceof classOfNode() ? takeNodeHandle(given, true) : given;
}

/** A handle of this package for a connection that Node's has accepted; where that cannot be had, Node's. */
export function ownHandle(accepted: NodeHandle): StreamHandle | NodeHandle {
  const handle = isWindows ? UV_ENOTSUP : shareNodeHandle(accepted, false);
  if (typeof handle === 'number') return accepted;
  accepted.close();
  return handle;
}

/** As `shareNodeHandle`, and Node's is closed: also when this fails. */
export function takeNodeHandle(taken: NodeHandle, forServer = false): StreamHandle | number {
  const handle = shareNodeHandle(taken, forServer);
  taken.close();
  return handle;
}

let nodeTCP: (new (type: number) => NodeTCP) | undefined;

/** Node's own class, of which a bound handle is one. */
function classOfNode(): new (type: number) => NodeTCP {
  if (nodeTCP === undefined) {
    const bound = createServerHandle('127.0.0.1', 0, 4);
    nodeTCP = bound.constructor as new (type: number) => NodeTCP;
    bound.close();
  }
  return nodeTCP;
}

function createServerHandle(...where: Parameters<NodeNet['_createServerHandle']>): NodeHandle {
  const handle = (nodeNet() as unknown as NodeNet)._createServerHandle(...where);
  if (typeof handle === 'number') throw errnoException(handle, 'open');
  return handle;
}

/** A handle of Node's over the number of a socket, which belongs to it from then on. */
function openNodeTCP(socket: number, type: number): NodeTCP {
  const handle = new (classOfNode())(type);
  const errno = handle.open(socket);
  if (errno < 0) throw errnoException(errno, 'open');
  return handle;
}

/** A handle of Node's for a server, over a descriptor that belongs to it from then on. */
export function nodeServerHandleOf(fd: number): NodeHandle {
  return isWindows ? openNodeTCP(fd, TCP.SERVER) : createServerHandle(null, 0, 0, fd);
}

/** A server of Node's that has this handle and accepts nothing. */
export function nodeServerOf(handle: NodeHandle): Net.Server {
  const { Server } = nodeNet();
  return Object.assign(new Server(), { _handle: handle });
}

/** A socket of Node's that reads nothing, over a descriptor that belongs to it from then on. */
export function nodeSocketOf(fd: number): Net.Socket & { _handle: NodeHandle | null } {
  const { Socket } = nodeNet();
  const open = isWindows ? { handle: openNodeTCP(fd, TCP.SOCKET) } : { fd };
  return new Socket({ ...open, readable: false, writable: true }) as Net.Socket & { _handle: NodeHandle | null };
}
