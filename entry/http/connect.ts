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
type Carrier = Omit<NodeSocket, 'connecting' | 'autoSelectFamilyAttemptedAddresses'> & {
  connecting: boolean;
  autoSelectFamilyAttemptedAddresses: string[];
  _host: string | null;
  _sockname: object | null;
  _unrefTimer: () => void;
};

/** Connects, and passes what becomes of that on. */
class ConnectingSocket extends Socket {
  /** Undefined while `connect` runs, which reports nothing that a listener could have been added for. */
  declare carrier?: Carrier;
  declare carrierHandle?: ConnectingHandle;
  declare _host: string | null;

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const { carrier, carrierHandle } = this;
    if (carrier === undefined || carrierHandle === undefined)
      return Reflect.apply(super.emit, this, [event, ...values]);
    switch (event) {
      case 'lookup':
        carrier._host = this._host;
        return carrier.emit(event, ...values);
      case 'connectionAttempt':
      case 'connectionAttemptFailed':
      case 'connectionAttemptTimeout':
        return carrier.emit(event, ...values);
      case 'connect':
        giveAway(this, carrier, carrierHandle);
        return true;
      case 'error':
        passAttempts(this, carrier);
        carrier.destroy(values[0] as Error);
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
  // What a socket does once it is connected is the carrier's.
  const socket = new ConnectingSocket({ ...options, onread: undefined, signal: undefined } as SocketConstructorOpts);
  socket.connect({ ...options, timeout: undefined } as NetConnectOpts);
  const Handle = classFor(socket, options);
  if (Handle === undefined) {
    socket.on('error', () => {}).destroy();
    return connect(options as NetConnectOpts) as unknown as Duplex;
  }
  const handle = new (connectingClass(Handle))(SOCKET, socket as unknown as FerronetSocket);
  const { timeout } = options;
  const carrier = new NodeSocket({
    ...options,
    handle,
    manualStart: true,
    blockList: undefined,
  } as SocketConstructorOpts) as unknown as Carrier;
  socket.carrier = carrier;
  socket.carrierHandle = handle;
  carrier.connecting = true;
  if (timeout) carrier.setTimeout(timeout);
  return carrier as unknown as Duplex;
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
function giveAway(socket: ConnectingSocket, carrier: Carrier, handle: ConnectingHandle): void {
  const fd = handleOf(socket)?.release() ?? -1;
  socket.destroy();
  passAttempts(socket, carrier);
  const errno = fd < 0 ? fd : handle.connected(fd);
  if (errno < 0) {
    if (fd >= 0) closeSync(fd);
    carrier.destroy(errnoException(errno, 'connect'));
    return;
  }
  carrier.connecting = false;
  carrier._sockname = null;
  carrier._unrefTimer();
  carrier.emit('connect');
  carrier.emit('ready');
  if (!carrier.isPaused()) carrier.read(0);
}

function passAttempts(socket: ConnectingSocket, carrier: Carrier): void {
  const { autoSelectFamilyAttemptedAddresses: attempted } = socket;
  if (attempted) carrier.autoSelectFamilyAttemptedAddresses = attempted;
}
