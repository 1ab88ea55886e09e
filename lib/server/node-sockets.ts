// Connections that ferronet accepts and node:net has: a server of node:http or node:tls uses Node's own handles without the
// streams of JavaScript that it puts between itself and any other socket. The descriptor goes to such a handle at once, and
// the reactor never registers it.
import { closeSync } from 'node:fs';
import type * as Net from 'node:net';

import { type NodeHandle, type NodeHandleClass, nodeClassOf } from '../handle/node-classes.js';
import { TCP } from '../handle/tcp.js';
import { StreamHandle } from '../handle/stream.js';
import { nodeNet } from '../node/modules.js';
import type { ListenerHandle, ServerSocket } from './core.js';

/** Those that the typings lack are the ones that Node's server gives. */
interface NodeSocketOptions extends Net.SocketConstructorOpts {
  handle: NodeHandle;
  pauseOnCreate: boolean;
  readableHighWaterMark: number;
  writableHighWaterMark: number;
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
}

/**
 * Has `onconnection` of a handle get Node's handles. Where there is no descriptor to find their class with, it gets
 * ferronet's as before.
 */
export function acceptForNode(handle: ListenerHandle): void {
  if (handle instanceof StreamHandle) {
    const Handle = classFor(handle);
    if (Handle) handle.giveDescriptors((fd) => nodeHandle(Handle, fd));
  } else {
    handle.giveNodeHandles?.();
  }
}

function classFor({ descriptor }: StreamHandle): NodeHandleClass | undefined {
  try {
    return nodeClassOf(descriptor);
  } catch {
    return undefined;
  }
}

/** A handle of Node's that owns `fd`, or a negative error, and `fd` is closed. */
function nodeHandle(Handle: NodeHandleClass, fd: number): NodeHandle | number {
  const handle = new Handle(TCP.SOCKET);
  const errno = handle.open(fd);
  if (errno === 0) return handle;
  handle.close();
  closeSync(fd);
  return errno;
}

/** The options of a server for its connections. */
interface ConnectionOptions {
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveInitialDelay: number;
  highWaterMark: number;
}

/** What node:net's own server makes of an accepted handle. */
export function nodeSocket(server: ConnectionOptions, handle: NodeHandle): Net.Socket & ServerSocket {
  const client = handle as NodeHandle & Partial<Pick<TCP, 'setNoDelay' | 'setKeepAlive'>>;
  const noDelay = server.noDelay && client.setNoDelay !== undefined;
  const keepAlive = server.keepAlive && client.setKeepAlive !== undefined;
  const { Socket } = nodeNet();
  const options: NodeSocketOptions = {
    handle: client,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
    // Only recorded by the constructor, so that setting them again does nothing.
    noDelay,
    keepAlive,
    keepAliveInitialDelay: server.keepAliveInitialDelay * 1000,
  };
  const socket = new Socket(options) as Net.Socket & ServerSocket;
  if (noDelay) client.setNoDelay?.(true);
  if (keepAlive) client.setKeepAlive?.(true, server.keepAliveInitialDelay);
  return socket;
}
