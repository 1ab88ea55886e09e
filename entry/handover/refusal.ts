// Checks whether a socket or server can be handed over.
import type { Socket } from 'node:net';

import { coded, type Coded, ERR_INVALID_STATE, ERR_SOCKET_CLOSED } from '../../lib/errors/errors.js';
import type { StreamHandle } from '../../lib/handle/stream.js';

const ERR_FEATURE_UNAVAILABLE_ON_PLATFORM: Coded<[where: string, reason: string]> = coded(
  TypeError,
  'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  (where, reason) => `Sockets and servers cannot be handed over ${where}: ${reason}`,
);

/** Members of Node's handles over libuv and of ferronet's. */
export type AnyHandle = Pick<StreamHandle, 'fd' | 'hasRef' | 'writeQueueSize'> &
  // ferronet's: the number without marking it as exposed.
  Partial<Pick<StreamHandle, 'descriptor'>>;

/** Internal properties of a socket, of Node or of a protocol above it. */
interface Marked {
  _handle: AnyHandle | null;
  _readableState: { pipes: readonly unknown[] };
  /** Of http. */
  parser?: unknown;
  _httpMessage?: unknown;
}

/** @throws TypeError ERR_FEATURE_UNAVAILABLE_ON_PLATFORM on Windows, and in Bun and Deno */
export function checkPlatform(): void {
  if (process.platform === 'win32') {
    const reason = 'they have no descriptors there that a second owner could have';
    throw new ERR_FEATURE_UNAVAILABLE_ON_PLATFORM('on Windows', reason);
  }
  // Their sockets have no descriptor, and one that is made of a descriptor is not connected, or emits `close`.
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) {
    const reason = "their net does not give and take descriptors as Node's does";
    throw new ERR_FEATURE_UNAVAILABLE_ON_PLATFORM('in Bun and Deno', reason);
  }
}

/** Whether a handle has a descriptor itself, and is neither above another handle nor in another process. */
export function isPlain(handle: AnyHandle): boolean {
  return /^(TCP|Pipe)$/.test(handle.constructor.name) && (handle.descriptor ?? handle.fd) >= 0;
}

/**
 * The handle of a connection that can be handed over.
 *
 * @throws Error ERR_SOCKET_CLOSED, ERR_INVALID_STATE
 */
export function connectionOf(socket: Socket): AnyHandle {
  const { _handle: handle } = socket as unknown as Marked;
  if (socket.connecting) throw new ERR_INVALID_STATE('the socket is connecting; wait for its connect event');
  if (socket.destroyed || handle === null) throw new ERR_SOCKET_CLOSED();
  if (!isPlain(handle)) {
    throw new ERR_INVALID_STATE(
      'the socket uses another stream, as those of TLS do; only that stream could be handed over',
    );
  }
  const above = protocolAbove(socket, handle);
  if (above !== undefined) throw new ERR_INVALID_STATE(`the socket is in use by ${above}`);
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (isEnding || socket.writableLength > 0 || handle.writeQueueSize > 0) {
    throw new ERR_INVALID_STATE(
      'the socket has writes that are not done; wait for their callbacks, or for its drain event',
    );
  }
  return handle;
}

// A protocol that uses the socket, and would go on to do so.
function protocolAbove(socket: Socket, handle: AnyHandle): string | undefined {
  const marked = socket as unknown as Marked;
  if (marked.parser || marked._httpMessage) return 'HTTP';
  // The property with the session has another name in each version of Node.
  const held = Reflect.ownKeys(socket).map((key) => Reflect.get(socket, key) as object | undefined);
  if (held.some((value) => String(value?.constructor?.name).endsWith('Http2Session'))) return 'an HTTP/2 session';
  // Node's TLS defines `reading` on the handle below it.
  if (Object.getOwnPropertyDescriptor(handle, 'reading')?.get) return 'TLS';
  // Above a ferronet socket TLS uses a wrapper, whose listener has the same name as that of a pipe.
  const listeners = socket.listeners('data').filter(({ name }) => name === 'ondata').length;
  if (listeners > marked._readableState.pipes.length) return "TLS or another protocol of Node's";
  return undefined;
}
