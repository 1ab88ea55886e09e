// The server of a socket that is sent to another process, as Node sees it: it counts the sockets that it has accepted, here
// and in other processes.

/** Node's list of the sockets of one server in one other process. */
export interface SocketList {
  close(callback: () => void): void;
}

/** What Node uses of a server to count. */
export interface CountingServer {
  readonly _connectionKey?: string | undefined;
  readonly _handle?: unknown;
  _connections: number;
  _setupWorker(list: SocketList): void;
  _emitCloseIfDrained?(): void;
}

/** Of one other process: a list for each server, and whether the server has it. */
export type SocketLists = Map<CountingServer, { list: SocketList; isKnown: boolean }>;

/**
 * Node makes one list of the sockets in a process, with the first socket, and the server asks that process by it. The server
 * gets the list when a socket was sent: until then the process would not answer.
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
    // It was closed while the socket was queued, and did not ask the other process about this socket.
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
