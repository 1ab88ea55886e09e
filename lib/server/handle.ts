// Handles that are bound and do not listen yet.
import { debug } from '../node/diagnostics.js';
import { uvErrno } from '../errors/errors.js';
import type { StreamHandle } from '../handle/stream.js';
import { Pipe } from '../handle/pipe.js';
import { TCP } from '../handle/tcp.js';
import { checkBindAllowed } from '../errors/permission.js';
import { createHandle } from '../handle/descriptor.js';
import { withRoomInStacks } from '../node/stack.js';

const UV_EADDRINUSE: number = uvErrno('EADDRINUSE');
const UV_EINVAL: number = uvErrno('EINVAL');

/**
 * A handle bound to an address, to a path (port and type -1) or of a descriptor, or a negative error. Without an address it
 * is bound to all of them.
 */
export function createServerHandle(
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd?: number | null,
  flags?: number,
): StreamHandle | number {
  if (typeof fd === 'number' && fd >= 0) return openServerDescriptor(fd);
  const isPath = port === -1 && addressType === -1;
  checkBindAllowed((isPath && address) || '');
  if (isPath) {
    debug('bind to', address || 'any');
    const pipe = withRoomInStacks(() => new Pipe(Pipe.SERVER));
    return boundOrError(pipe, pipe.bind(address ?? '', flags));
  }
  if (!address) return bindAnywhere(port ?? 0, flags).bound;
  const tcp = withRoomInStacks(() => new TCP(TCP.SERVER));
  debug('bind to', address);
  const errno = addressType === 6 ? tcp.bind6(address, port ?? 0, flags) : tcp.bind(address, port ?? 0, flags);
  return boundOrError(tcp, errno);
}

/** The bound handle or a negative error, and the address. */
export interface Bound {
  bound: StreamHandle | number;
  address: string | null;
  family: number | null;
}

/**
 * Binds `::`, dual-stack, or `0.0.0.0` where the system has no IPv6. `EADDRINUSE` does not cause the fallback: libuv delays
 * that error until `listen`.
 */
export function bindAnywhere(port: number, flags: number | undefined): Bound {
  const bound = createServerHandle('::', port, 6, null, flags);
  if (typeof bound !== 'number' || bound === UV_EADDRINUSE) return { bound, address: '::', family: 6 };
  return { bound: createServerHandle('0.0.0.0', port, 4, null, flags), address: '0.0.0.0', family: 4 };
}

function boundOrError(handle: StreamHandle, errno: number): StreamHandle | number {
  if (errno >= 0) return handle;
  handle.close();
  return errno;
}

function openServerDescriptor(fd: number): StreamHandle | number {
  let handle: StreamHandle;
  try {
    handle = createHandle(fd, true);
  } catch (error) {
    debug('listen invalid fd=%d:', fd, (error as Error).message);
    return UV_EINVAL;
  }
  const opened = boundOrError(handle, handle.open(fd));
  // Another process may have it as well: systemd, or other children of the same parent.
  if (typeof opened !== 'number') opened.share();
  return opened;
}
