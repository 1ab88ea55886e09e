// Transfers a socket to another thread, along with bytes that were read and not consumed. A socket with pending writes cannot
// be transferred.
import { ERR_WORKER_HANDLE_NOT_TRANSFERABLE } from '../errors/errors.js';
import type { TcpOptions } from '../handle/options.js';
import { StreamHandle } from '../handle/stream.js';
import type { Messaging } from '../thread/messaging.js';
import { quiesce } from '../stream/quiesce.js';
import type { InternalSocketOptions } from '../stream/options.js';
import { type SocketCore, kState } from '../stream/state.js';
import { type SentHandle, sentinelFor, receiveHandle, sendHandle } from '../thread/transfer.js';
import { dropUnread, endsUnread, hasEnded, isUnreadExact, unreadOf } from '../stream/unread.js';

/** What a message carries in place of a socket. */
interface SentSocket {
  sent: SentHandle;
  options: InternalSocketOptions;
  kernelOptions: Readonly<TcpOptions>;
  bound: boolean;
  bytesRead: number;
  bytesWritten: number;
}

type Construct = (socket: SocketCore, options: InternalSocketOptions) => void;

/** `construct` initializes an object as a socket. */
export function socketMessaging(construct: Construct): Messaging<SocketCore> {
  return {
    list(socket) {
      check(socket);
      return [sentinelFor(socket, 'net.Socket')];
    },
    transfer: sendSocket,
    receive: (empty, data) => receiveSocket(empty, data as SentSocket, construct),
  };
}

/** @throws Error ERR_WORKER_HANDLE_NOT_TRANSFERABLE */
function check(socket: SocketCore): StreamHandle {
  const { destroyed, connecting } = socket;
  const { handle } = socket[kState];
  const isWriting = socket.writableLength > 0 || (socket.writableEnded && !socket.writableFinished);
  if (!(handle instanceof StreamHandle) || destroyed || connecting || isWriting) {
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Socket');
  }
  // The socket is about to be closed.
  if (hasEnded(socket) && (socket.writableFinished || !socket.allowHalfOpen)) {
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Socket', 'it has ended');
  }
  if (!isUnreadExact(socket)) {
    const reason = `what was read as ${socket.readableEncoding} cannot be given back byte for byte`;
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Socket', reason);
  }
  return handle;
}

function sendSocket(socket: SocketCore): SentSocket {
  const handle = check(socket);
  const resume = quiesce(socket, handle);
  const state = socket[kState];
  const unread = unreadOf(socket);
  const size = unread.reduce((total, chunk) => total + chunk.length, 0);
  let sent: SentHandle;
  try {
    sent = sendHandle(socket, handle, unread, endsUnread(socket));
  } catch (error) {
    resume();
    throw error;
  }
  detach(socket, handle);
  const { kernelOptions, bound } = state;
  const { bytesRead, bytesWritten } = handle;
  const options: InternalSocketOptions & { readable: boolean; writable: boolean } = {
    allowHalfOpen: socket.allowHalfOpen,
    readable: !hasEnded(socket),
    writable: !socket.writableFinished,
    readableHighWaterMark: socket.readableHighWaterMark,
    writableHighWaterMark: socket.writableHighWaterMark,
    nativeRelay: state.mayRelay,
  };
  socket.destroy();
  return { sent, options, kernelOptions, bound, bytesRead: bytesRead - size, bytesWritten };
}

/** Detaches the handle, so that the socket emits no more data and no end. As with node:net, `close` has no argument. */
function detach(socket: SocketCore, handle: StreamHandle): void {
  dropUnread(socket);
  const state = socket[kState];
  state.bytesRead = handle.bytesRead;
  state.bytesWritten = handle.bytesWritten;
  handle.reader = null;
  handle.close();
  socket._handle = null;
}

function receiveSocket(empty: SocketCore, data: SentSocket, construct: Construct): void {
  const { sent, options, kernelOptions, bound } = data;
  const handle = receiveHandle(sent, 'SOCKET');
  handle.bytesRead = data.bytesRead;
  handle.bytesWritten = data.bytesWritten;
  // As with node:net, it reads nothing until the program asks for data.
  construct(empty, { ...options, handle, manualStart: true });
  empty[kState].kernelOptions = kernelOptions;
  if (bound) empty[kState].bound = true;
}
