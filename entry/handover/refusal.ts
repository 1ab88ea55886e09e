// What cannot be handed over, and why.
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

/** What Node, or a protocol above, has put on a socket. */
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
  // Their sockets would give no descriptor, and take one without its connection, or say that they have closed.
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) {
    const reason = "their net does not give and take descriptors as Node's does";
    throw new ERR_FEATURE_UNAVAILABLE_ON_PLATFORM('in Bun and Deno', reason);
  }
}

/** Whether a handle is a connection or a listening socket itself, and not something above one or elsewhere. */
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
      'the socket stands on another stream, as those of TLS do; only that could be handed over',
    );
  }
  const above = protocolAbove(socket, handle);
  if (above !== undefined) throw new ERR_INVALID_STATE(`${above} stands on the socket`);
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (isEnding || socket.writableLength > 0 || handle.writeQueueSize > 0) {
    throw new ERR_INVALID_STATE(
      'the socket has writes that are not done; wait for their callbacks, or for its drain event',
    );
  }
  return handle;
}

// What else reads and writes here, and would go on.
function protocolAbove(socket: Socket, handle: AnyHandle): string | undefined {
  const marked = socket as unknown as Marked;
  if (marked.parser || marked._httpMessage) return 'HTTP';
  // A session is kept under a name that differs from one Node to the next.
  const held = Reflect.ownKeys(socket).map((key) => Reflect.get(socket, key) as object | undefined);
  if (held.some((value) => String(value?.constructor?.name).endsWith('Http2Session'))) return 'an HTTP/2 session';
  // Node's TLS looks through to the handle below it.
  if (Object.getOwnPropertyDescriptor(handle, 'reading')?.get) return 'TLS';
  // Above ours it stands on a wrapper, whose listener is called as that of a pipe.
  const listeners = socket.listeners('data').filter(({ name }) => name === 'ondata').length;
  if (listeners > marked._readableState.pipes.length) return "TLS, or another protocol of Node's,";
  return undefined;
}
