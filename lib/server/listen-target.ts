// Takes what `listen` was given to listen on. A bound socket is adopted and a native handle of Node's taken over here, so
// reading the options changes nothing.
import { errnoException } from '../errors/errors.js';
import { adoptBoundSocket } from '../stream/bound-socket.js';
import type { ListenerHandle } from './core.js';
import type { ListenRequest } from './listen-options.js';
import type * as NodeHandles from './node-handle.js';

/** Where to listen, or a handle to listen with. */
export type ListenTarget =
  | Exclude<ListenRequest, { kind: 'bound-socket' | 'node-handle' }>
  | { kind: 'handle'; handle: ListenerHandle; path: string | undefined; backlog: number; signal?: undefined };

/**
 * @throws Error ERR_SOCKET_HANDLE_ADOPTED for a bound socket that was adopted or closed; Error with syscall `listen` for a
 * handle of Node's that cannot be taken over
 */
export function takeListenTarget(request: ListenRequest): ListenTarget {
  const { kind, backlog } = request;
  switch (kind) {
    case 'bound-socket': {
      const address = request.bound.address();
      const path = typeof address === 'string' ? address : undefined;
      return { kind: 'handle', handle: adoptBoundSocket(request.bound), path, backlog };
    }
    case 'node-handle': {
      const { listenerOfNode } = require('./node-handle.js') as typeof NodeHandles;
      const handle = listenerOfNode(request.handle);
      if (typeof handle === 'number') throw errnoException(handle, 'listen');
      return { kind: 'handle', handle, path: undefined, backlog };
    }
    default:
      return request;
  }
}
