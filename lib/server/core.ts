// The interfaces by which the parts of a server (listening, cluster) use the server and its handle. The parts import this
// file, and the class imports the parts.
import type { EventEmitter } from 'node:events';

import type { StreamHandle } from '../handle/stream.js';

/** What a server listens with: a handle of ferronet, one of Node's, or in a cluster a proxy of the primary's. */
export interface ListenerHandle {
  onconnection?: (status: number, client?: StreamHandle) => void;
  listen: (backlog: number) => number;
  /** Accepts no connection ahead of `onconnection`. Handles of ferronet have it. */
  acceptOnDemand?: () => void;
  /** Of ferronet's: `onconnection` gets what `make` makes of a connection's descriptor. */
  giveDescriptors?: (make: (fd: number) => object | number) => number;
  /** Of a proxy: `onconnection` gets Node's handles, as the primary sends them. */
  giveNodeHandles?: () => void;
  close: (callback?: () => void) => void;
  ref: () => void;
  unref: () => void;
}

/** A connection of a server. When it closes it counts itself out. */
export interface ServerSocket {
  server: unknown;
  _server: unknown;
}

/** A `Server`, as its parts see it. */
export interface ServerCore extends EventEmitter {
  _handle: ListenerHandle | null;
  _unref: boolean;
  /** Its connections are sockets of node:net. */
  _nodeSockets?: boolean;
  _listeningId: number;
  _connectionKey?: string;
  maxConnections?: number;
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
