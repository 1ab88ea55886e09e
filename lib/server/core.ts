// The face that the parts of a server (listening, a cluster) see of it, and what it listens with. They all stand on this
// file, and the class stands on them.
import type { EventEmitter } from 'node:events';

import type { StreamHandle } from '../handle/stream.js';

/** What a server listens with: a handle of ours, or what a worker of a cluster has of one of the primary's. */
export interface ListenerHandle {
  onconnection?: (status: number, client?: StreamHandle) => void;
  listen: (backlog: number) => number;
  close: (callback?: () => void) => void;
  ref: () => void;
  unref: () => void;
}

/** A `Server`, as seen from below. */
export interface ServerCore extends EventEmitter {
  _handle: ListenerHandle | null;
  _unref: boolean;
  _listeningId: number;
  _connectionKey?: string;
  _pipeName?: string | undefined;
  _listen2: (
    address: string | null,
    port: number | null,
    addressType: number | null,
    backlog: number,
    fd?: number,
    flags?: number,
  ) => void;
  unref: () => unknown;
}
