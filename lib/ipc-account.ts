// The server of a socket that is sent to another process, as Node sees it: it counts what it has accepted, here and there.

/** Node's list of the sockets of one server that are in one other process. */
export interface SocketList {
  close(callback: () => void): void;
}

/** As far as counting what was sent away goes. */
export interface CountingServer {
  readonly _connectionKey?: string | undefined;
  readonly _handle?: unknown;
  _connections: number;
  _setupWorker(list: SocketList): void;
  _emitCloseIfDrained?(): void;
}

/** Of one process: a list for each server, and whether the server knows it. */
export type Lists = Map<CountingServer, { list: SocketList; isKnown: boolean }>;

/**
 * What Node asks of the server of a socket. It makes one list of the sockets that were sent to this process, at the first
 * one, and the server asks the process for them: not before one has left, because nobody would answer.
 */
export class Account implements CountingServer {
  readonly #server: CountingServer;
  readonly #lists: Lists;

  constructor(server: CountingServer, lists: Lists) {
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

  /** The socket is on its way. */
  left(): void {
    const server = this.#server;
    const found = this.#lists.get(server);
    if (found !== undefined && !found.isKnown) {
      found.isKnown = true;
      server._setupWorker(found.list);
    }
    // Closed while the socket waited, and so before it could ask the other process for this one.
    if (server._handle === null) closeBehind(server, found?.list);
  }
}

function closeBehind(server: CountingServer, list: SocketList | undefined): void {
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
