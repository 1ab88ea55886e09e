// In a worker of a cluster a server listens with what the primary has bound: with a handle that all workers share
// (`SCHED_NONE`), or by being sent the connections that the primary accepts (`SCHED_RR`).
import { exceptionWithHostPort, uvErrno } from '../errors/errors.js';
import type { AddressOut, TCP } from '../handle/tcp.js';
import type { StreamHandle } from '../handle/stream.js';
import { type NodeHandle, shareNodeHandle, takeNodeHandle } from './node-handle.js';
import { cluster, nodeNet } from '../node/modules.js';
import type { ListenerHandle, ServerCore } from './core.js';

/** What the primary is asked for; Node's names. */
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

/** With `SCHED_RR`: nothing that is open in this process. */
interface FauxHandle {
  onconnection?: (status: number, client?: NodeHandle) => void;
  listen(backlog: number): number;
  close(): void;
  ref(): void;
  unref(): void;
  /** Not of a path. */
  getsockname?: (out: AddressOut) => number;
}

type Reply = (errno: number | undefined, handle: (NodeHandle & Partial<FauxHandle>) | FauxHandle | null) => void;

interface ClusterOfWorker {
  isWorker: boolean;
  /** Used by Node's own `net` and `dgram`. Looks at `server._handle`'s owner later: `close`, `maxConnections`. */
  _getServer(server: object, query: ServerQuery, callback: Reply): void;
}

const UV_EADDRINUSE: number = uvErrno('EADDRINUSE');

function clusterOfWorker(): ClusterOfWorker | null {
  const found = cluster() as unknown as ClusterOfWorker;
  return found.isWorker ? found : null;
}

/** Listens by itself if the address is to be its own, or if this is no worker of a cluster. */
export function listenInCluster(server: ServerCore, query: ServerQuery, exclusive: boolean): void {
  const { address, port, addressType, backlog, fd, flags, ...modes } = query;
  const here = exclusive ? null : clusterOfWorker();
  if (here === null) {
    server._listen2(address, port, addressType, backlog, fd, flags);
    return;
  }
  const { _listeningId: id } = server;
  here._getServer(server, { address, port, addressType, fd, flags, backlog, ...modes }, (refusal, given) => {
    // Closed, or told to listen again, meanwhile.
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

/** `EADDRINUSE` comes as late as `listen(2)` from libuv, and whoever goes on then is bound to some other port. */
function checkPort(handle: ListenerHandle, port: number | null): number {
  const { getsockname } = handle as Partial<TCP>;
  if (getsockname === undefined || port === null || port <= 0) return 0;
  const name: AddressOut = {};
  const errno = Reflect.apply(getsockname, handle, [name]);
  return errno === 0 && name.port !== port ? UV_EADDRINUSE : errno;
}

function handleOf(server: ServerCore, given: (NodeHandle & Partial<FauxHandle>) | FauxHandle): ListenerHandle | number {
  const handle = 'fd' in given ? sharedHandle(given) : new RoundRobinHandle(given);
  // `worker.disconnect()` closes servers by their handles, and the primary is told to try another worker when this
  // server has `maxConnections`.
  const owner = ownerSymbol();
  if (owner !== undefined) Reflect.set(given, owner, server);
  return handle;
}

let owner: symbol | undefined;

/** The key under which Node's handles know whose they are. */
function ownerSymbol(): symbol | undefined {
  if (owner === undefined) {
    const owned = {};
    const { Socket } = nodeNet();
    const unused = new Socket({ handle: owned, readable: false } as object);
    owner = Object.getOwnPropertySymbols(owned).find((key) => Reflect.get(owned, key) === unused);
  }
  return owner;
}

/** Closing it also tells the primary. */
function sharedHandle(shared: NodeHandle & Partial<Pick<TCP, 'getsockname'>>): StreamHandle | number {
  // libuv keeps the error of a bind for whoever asks next, and the socket knows nothing of it.
  const errno = shared.getsockname?.({}) ?? 0;
  const handle = errno < 0 ? errno : shareNodeHandle(shared, true);
  if (typeof handle === 'number') {
    shared.close();
    return handle;
  }
  // The other workers accept from it as well.
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
