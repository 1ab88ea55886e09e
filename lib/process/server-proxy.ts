// The server of a socket that is sent to another process. Node counts the sockets that a server has accepted, in this process
// and in others.

/** Node's list of a server's sockets in one other process. */
export interface SocketList {
  close(callback: () => void): void;
}

/** The members of a server by which Node counts. */
export interface CountingServer {
  readonly _connectionKey?: string | undefined;
  readonly _handle?: unknown;
  _connections: number;
  _setupWorker(list: SocketList): void;
  _emitCloseIfDrained?(): void;
}

/** For one other process: the list of each server, and whether the server knows it. */
export type SocketLists = Map<CountingServer, { list: SocketList; isKnown: boolean }>;

/**
 * Passed to Node in place of the server. With the first socket Node makes a list, by which the server asks the other process
 * for its count. The server gets that list only when a socket was sent, because the process does not answer before.
 */
export class CountingServerProxy implements CountingServer {
  readonly #server: CountingServer;
  readonly #lists: SocketLists;

  constructor(server: CountingServer, lists: SocketLists) {
    this.#server = server;
    this.#lists = lists;
  }

  get _connectionKey(): string | undefined {
    return this.#server._connectionKey;
  }

  get _connections(): number {
    return this.#server._connections;
  }

  set _connections(count: number) {
    this.#server._connections = count;
  }

  _setupWorker(list: SocketList): void {
    this.#lists.set(this.#server, { list, isKnown: false });
  }

  sent(): void {
    const server = this.#server;
    const found = this.#lists.get(server);
    if (found !== undefined && !found.isKnown) {
      found.isKnown = true;
      server._setupWorker(found.list);
    }
    // The server was closed while the socket was queued, without asking the other process about it.
    if (server._handle === null) awaitClose(server, found?.list);
  }
}

function awaitClose(server: CountingServer, list: SocketList | undefined): void {
  if (list === undefined) {
    server._emitCloseIfDrained?.();
    return;
  }
  server._connections += 1;
  list.close(() => {
    server._connections -= 1;
    server._emitCloseIfDrained?.();
  });
}
