// Listening in a worker of a cluster. The primary binds the address. Workers share its handle (`SCHED_NONE`), or are sent the
// connections that it accepts (`SCHED_RR`).
import { exceptionWithHostPort, uvErrno } from '../errors/errors.js';
import type { AddressOut, TCP } from '../handle/tcp.js';
import type { StreamHandle } from '../handle/stream.js';
import type { NodeHandle } from '../handle/node-classes.js';
import { shareNodeHandle, takeNodeHandle } from './node-handle.js';
import { cluster, nodeNet } from '../node/modules.js';
import type { ListenerHandle, ServerCore } from './core.js';

/** The query to the primary, with Node's names. */
export interface ServerQuery {
  address: string | null;
  port: number | null;
  addressType: number | null;
  backlog: number;
  fd?: number | undefined;
  flags?: number | undefined;
  readableAll?: boolean;
  writableAll?: boolean;
}

/** Node's faux handle under `SCHED_RR`: nothing is open in this process. */
interface FauxHandle {
  onconnection?: (status: number, client?: NodeHandle) => void;
  listen(backlog: number): number;
  close(): void;
  ref(): void;
  unref(): void;
  /** Not for a path. */
  getsockname?: (out: AddressOut) => number;
}

type Reply = (errno: number | undefined, handle: (NodeHandle & Partial<FauxHandle>) | FauxHandle | null) => void;

interface ClusterOfWorker {
  isWorker: boolean;
  /** Called by Node's own `net` and `dgram`. Reads `close` and `maxConnections` of the handle's owner later. */
  _getServer(server: object, query: ServerQuery, callback: Reply): void;
}

const UV_EADDRINUSE: number = uvErrno('EADDRINUSE');

function clusterOfWorker(): ClusterOfWorker | null {
  const found = cluster() as unknown as ClusterOfWorker;
  return found.isWorker ? found : null;
}

/** Listens without the primary if `exclusive`, or if this process is not a worker of a cluster. */
export function listenInCluster(server: ServerCore, query: ServerQuery, exclusive: boolean): void {
  const { address, port, addressType, backlog, fd, flags, ...modes } = query;
  const here = exclusive ? null : clusterOfWorker();
  if (here === null) {
    server._listen2(address, port, addressType, backlog, fd, flags);
    return;
  }
  const { _listeningId: id } = server;
  here._getServer(server, { address, port, addressType, fd, flags, backlog, ...modes }, (refusal, given) => {
    // The server was closed, or `listen` was called again, meanwhile.
    if (server._listeningId !== id) {
      given?.close();
      return;
    }
    const handle = refusal || given === null ? (refusal ?? UV_EADDRINUSE) : handleOf(server, given);
    const errno = typeof handle === 'number' ? handle : checkPort(handle, port);
    if (errno !== 0) {
      if (typeof handle !== 'number') handle.close();
      server.emit('error', exceptionWithHostPort(errno, 'bind', address, port ?? undefined));
      return;
    }
    server._handle = handle as ListenerHandle;
    server._listen2(address, port, addressType, backlog, fd, flags);
  });
}

/** libuv reports `EADDRINUSE` of a bind only in `listen`. Until then the handle is bound to some other port. */
function checkPort(handle: ListenerHandle, port: number | null): number {
  const { getsockname } = handle as Partial<TCP>;
  if (getsockname === undefined || port === null || port <= 0) return 0;
  const name: AddressOut = {};
  const errno = Reflect.apply(getsockname, handle, [name]);
  return errno === 0 && name.port !== port ? UV_EADDRINUSE : errno;
}

function handleOf(server: ServerCore, given: (NodeHandle & Partial<FauxHandle>) | FauxHandle): ListenerHandle | number {
  const handle = 'fd' in given ? sharedHandle(given) : new RoundRobinHandle(given);
  // `worker.disconnect()` finds servers by the owners of their handles, and so does the check of `maxConnections` that makes
  // the primary try another worker.
  const owner = ownerSymbol();
  if (owner !== undefined) Reflect.set(given, owner, server);
  return handle;
}

let owner: symbol | undefined;

/** The symbol under which Node's handles store their owner. */
function ownerSymbol(): symbol | undefined {
  if (owner === undefined) {
    const owned = {};
    const { Socket } = nodeNet();
    const unused = new Socket({ handle: owned, readable: false } as object);
    owner = Object.getOwnPropertySymbols(owned).find((key) => Reflect.get(owned, key) === unused);
  }
  return owner;
}

/** Closing the handle also closes the shared one, which notifies the primary. */
function sharedHandle(shared: NodeHandle & Partial<Pick<TCP, 'getsockname'>>): StreamHandle | number {
  // libuv keeps the error of a bind in its handle until the next call, and a duplicate of the descriptor does not have it.
  const errno = shared.getsockname?.({}) ?? 0;
  const handle = errno < 0 ? errno : shareNodeHandle(shared, true);
  if (typeof handle === 'number') {
    shared.close();
    return handle;
  }
  // Other workers accept from it as well.
  handle.share();
  const close = handle.close.bind(handle);
  handle.close = (callback) => {
    shared.close();
    close(callback);
  };
  return handle;
}

class RoundRobinHandle implements ListenerHandle {
  declare onconnection?: (status: number, client?: StreamHandle) => void;
  declare getsockname?: (out: AddressOut) => number;
  readonly #faux: FauxHandle;

  constructor(faux: FauxHandle) {
    this.#faux = faux;
    const { getsockname } = faux;
    if (getsockname) this.getsockname = (out) => getsockname(out);
    faux.onconnection = (status, client) => this.#accepted(status, client);
  }

  #accepted(status: number, client: NodeHandle | undefined): void {
    const handle = client ? takeNodeHandle(client) : status;
    if (typeof handle === 'number') this.onconnection?.(handle);
    else if (this.onconnection) this.onconnection(0, handle);
    else handle.close();
  }

  giveNodeHandles(): void {
    this.#faux.onconnection = (status, client) => {
      if (this.onconnection) this.onconnection(status, client as unknown as StreamHandle | undefined);
      else client?.close();
    };
  }

  listen(backlog: number): number {
    return this.#faux.listen(backlog);
  }

  close(): void {
    this.#faux.close();
  }

  ref(): void {
    this.#faux.ref();
  }

  unref(): void {
    this.#faux.unref();
  }
}
