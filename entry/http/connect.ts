// Connections that ferronet makes and node:net has. The socket is node:net's from the start, so a protocol of Node's uses its
// native handle directly; ferronet's looks the name up, connects, and then gives its descriptor away.
import { closeSync } from 'node:fs';
import { Socket as NodeSocket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';

import { connect, type FerronetSocket, type NetConnectOpts, Socket } from '../../index.js';
import { errnoException } from '../../lib/errors/errors.js';
import { type NodeHandleClass, nodeClassOf, nodeTCP } from '../../lib/handle/node-classes.js';
import type { StreamHandle } from '../../lib/handle/stream.js';
import { hasDescriptors } from '../../lib/node/descriptors.js';
import { type ConnectingHandle, connectingClass } from './connecting-handle.js';

/** `TCP.SOCKET` and `Pipe.SOCKET`. */
const SOCKET = 0;

/** Of `net.connect`; those that a protocol has besides are ignored. */
interface Options {
  fd?: number | undefined;
  path?: string | undefined;
  timeout?: number | undefined;
}

function handleOf(socket: Socket): StreamHandle | null {
  return (socket as unknown as { _handle: StreamHandle | null })._handle;
}

/** A socket of node:net that is connecting. */
type ConnectingNodeSocket = Omit<NodeSocket, 'connecting' | 'autoSelectFamilyAttemptedAddresses'> & {
  connecting: boolean;
  autoSelectFamilyAttemptedAddresses: string[];
  _host: string | null;
  _sockname: object | null;
  _unrefTimer: () => void;
};

/** Connects, and passes what becomes of that on. */
class ConnectingSocket extends Socket {
  /** Undefined while `connect` runs, which reports nothing that a listener could have been added for. */
  declare nodeSocket?: ConnectingNodeSocket;
  declare nodeHandle?: ConnectingHandle;
  declare _host: string | null;

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const { nodeSocket, nodeHandle } = this;
    if (!nodeSocket || !nodeHandle) return Reflect.apply(super.emit, this, [event, ...values]);
    switch (event) {
      case 'lookup':
        nodeSocket._host = this._host;
        return nodeSocket.emit(event, ...values);
      case 'connectionAttempt':
      case 'connectionAttemptFailed':
      case 'connectionAttemptTimeout':
        return nodeSocket.emit(event, ...values);
      case 'connect':
        giveAway(this, nodeSocket, nodeHandle);
        return true;
      case 'error':
        passAttempts(this, nodeSocket);
        nodeSocket.destroy(values[0] as Error);
        return true;
      default:
        return false;
    }
  }
}

/**
 * As `net.connect(options)`, with a socket of node:net where descriptors can be given away, and one of ferronet elsewhere.
 *
 * @throws as `net.connect`
 */
export function connectForNode(options: Options): Duplex {
  if (!hasDescriptors() || options.fd !== undefined) return connect(options as NetConnectOpts) as unknown as Duplex;
  // These options are for the socket of node:net.
  const socket = new ConnectingSocket({ ...options, onread: undefined, signal: undefined } as SocketConstructorOpts);
  socket.connect({ ...options, timeout: undefined } as NetConnectOpts);
  const Handle = classFor(socket, options);
  if (Handle === undefined) {
    giveUp(socket);
    return connect(options as NetConnectOpts) as unknown as Duplex;
  }
  try {
    return nodeSocketFor(socket, Handle, options) as unknown as Duplex;
  } catch (error) {
    giveUp(socket);
    throw error;
  }
}

function giveUp(socket: ConnectingSocket): void {
  socket.on('error', () => {}).destroy();
}

function nodeSocketFor(socket: ConnectingSocket, Handle: NodeHandleClass, options: Options): ConnectingNodeSocket {
  const handle = new (connectingClass(Handle))(SOCKET, socket as unknown as FerronetSocket);
  const own = { ...options, handle, manualStart: true, blockList: undefined } as SocketConstructorOpts;
  const nodeSocket = new NodeSocket(own) as unknown as ConnectingNodeSocket;
  socket.nodeSocket = nodeSocket;
  socket.nodeHandle = handle;
  // Its signal may have been aborted before.
  nodeSocket.connecting = !nodeSocket.destroyed;
  if (options.timeout) nodeSocket.setTimeout(options.timeout);
  return nodeSocket;
}

let pipe: NodeHandleClass | undefined;

/** Undefined when the system has no descriptor to find the class with. */
function classFor(socket: ConnectingSocket, { path }: Options): NodeHandleClass | undefined {
  try {
    if (!path) return nodeTCP();
    // A local socket is open as soon as it connects.
    return (pipe ??= nodeClassOf(handleOf(socket)?.descriptor ?? -1));
  } catch {
    return undefined;
  }
}

/** As node:net does when a connect has ended. */
function giveAway(socket: ConnectingSocket, nodeSocket: ConnectingNodeSocket, handle: ConnectingHandle): void {
  const fd = handleOf(socket)?.release() ?? -1;
  socket.destroy();
  passAttempts(socket, nodeSocket);
  const errno = fd < 0 ? fd : handle.connected(fd);
  if (errno < 0) {
    if (fd >= 0) closeSync(fd);
    nodeSocket.destroy(errnoException(errno, 'connect'));
    return;
  }
  nodeSocket.connecting = false;
  nodeSocket._sockname = null;
  nodeSocket._unrefTimer();
  nodeSocket.emit('connect');
  nodeSocket.emit('ready');
  if (!nodeSocket.isPaused()) nodeSocket.read(0);
}

function passAttempts(socket: ConnectingSocket, nodeSocket: ConnectingNodeSocket): void {
  const { autoSelectFamilyAttemptedAddresses: attempted } = socket;
  if (attempted) nodeSocket.autoSelectFamilyAttemptedAddresses = attempted;
}
