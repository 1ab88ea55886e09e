// `subprocess.send(message, handle)` and `process.send` take sockets, servers and handles of ours. Node knows its own only,
// so it is given one of those over a second descriptor; the rest, from the queue to the counting of sockets by their
// server, is Node's. Everything else that is sent goes past this file.
import { detachHandle } from './detach.js';
import { errnoException } from './errors.js';
import { StreamHandle } from './handle.js';
import type { InternalMessage, IpcChannel, SendCallback, SendOptions } from './ipc-channel.js';
import { type NodeHandle, nodeServerHandleOf, nodeServerOf, nodeSocketOf } from './node-handle.js';
import { Server } from './server.js';
import type { SocketHandle } from './socket-handle.js';
import { kState } from './socket-state.js';
import { Socket } from './socket.js';

/** What Node is given in the place of one of our objects. */
interface StandIn {
  object: object;
  /** It is on its way. */
  left(): void;
  /** It could not be sent: all is as it was. */
  refused(): void;
  /** Closes what is still open of it. */
  close(): void;
}

const SENDABLE: ReadonlySet<string> = new Set(['string', 'object', 'number', 'boolean']);

/** A second descriptor of what a handle has open. */
function duplicate(handle: Pick<SocketHandle, 'duplicate'>): number {
  const fd = handle.duplicate();
  if (fd < 0) throw errnoException(fd, 'dup');
  return fd;
}

function ofHandle(handle: NodeHandle, object: object): StandIn {
  const close = (): void => handle.close();
  return { object, left() {}, refused: close, close };
}

/** As far as counting what was sent away goes. */
interface CountingServer {
  readonly _connectionKey?: string | undefined;
  _connections: number;
  _setupWorker(list: object): void;
}

/**
 * What Node asks of the server of a socket. It makes one list of the sockets that were sent to this process, at the first
 * one, and the server asks the process for them: not before one has left, because nobody would answer.
 */
class Account implements CountingServer {
  readonly #server: CountingServer;
  readonly #early: EarlyLists;
  #hasLeft = false;

  constructor(server: CountingServer, early: EarlyLists) {
    this.#server = server;
    this.#early = early;
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

  _setupWorker(list: object): void {
    if (this.#hasLeft) this.#server._setupWorker(list);
    else this.#early.set(this.#server, list);
  }

  left(): void {
    this.#hasLeft = true;
    const list = this.#early.get(this.#server);
    if (list === undefined) return;
    this.#early.delete(this.#server);
    this.#server._setupWorker(list);
  }
}

type EarlyLists = Map<CountingServer, object>;

/** What Node's `http` puts on the socket of a request. */
interface OfRequest {
  parser?: unknown;
  _httpMessage?: unknown;
}

function ofSocket(socket: Socket & OfRequest, open: SocketHandle, keepOpen: boolean, early: EarlyLists): StandIn {
  const object = nodeSocketOf(duplicate(open)) as ReturnType<typeof nodeSocketOf> & { server?: unknown } & OfRequest;
  const handle = object._handle;
  const account = socket.server ? new Account(socket.server as CountingServer, early) : null;
  if (account) object.server = account;
  if (socket.parser) {
    object.parser = socket.parser;
    object._httpMessage = socket._httpMessage;
  }
  return {
    object,
    left() {
      account?.left();
      if (keepOpen) return;
      socket.setTimeout(0);
      if (socket.parser) socket.parser = socket._httpMessage = null;
      // What the kernel has not taken yet is not lost.
      detachHandle(socket)?.closeWhenSent();
    },
    refused() {
      // Node has come as far as taking it.
      if (object._handle === null) {
        if (account) account._connections += 1;
        handle?.close();
      } else {
        object.destroy();
      }
    },
    close: () => void object.destroy(),
  };
}

/** Null for what is none of ours, or has nothing open: Node sends the message alone then. */
function standInFor(given: unknown, options: SendOptions, early: EarlyLists): StandIn | null {
  if (given instanceof StreamHandle) {
    const handle = nodeServerHandleOf(duplicate(given));
    return ofHandle(handle, handle);
  }
  if (given instanceof Server) {
    // What a worker of a cluster is sent connections for is open in its primary only.
    if (!(given._handle instanceof StreamHandle)) return null;
    const handle = nodeServerHandleOf(duplicate(given._handle));
    return ofHandle(handle, nodeServerOf(handle));
  }
  if (given instanceof Socket) {
    const { handle } = given[kState];
    if (handle === null) return null;
    return ofSocket(given, handle, typeof options === 'object' && options.keepOpen === true, early);
  }
  return null;
}

function isOurs(given: unknown): boolean {
  return given instanceof Socket || given instanceof Server || given instanceof StreamHandle;
}

/** Makes `channel` take what is ours. */
export function sendOurs(channel: IpcChannel): void {
  const send = channel._send;
  /** Not sent yet; undefined as long as nothing of ours was. */
  let waiting: Set<StandIn> | undefined;
  const early: EarlyLists = new Map();

  const announce = (next: boolean): void => {
    const message: InternalMessage = { cmd: 'NODE_FERRONET', next };
    Reflect.apply(send, channel, [message, undefined, true]);
  };

  // When the child ends, nobody tells of what is in the queue.
  const closedAtExit = (): Set<StandIn> => {
    const open = new Set<StandIn>();
    channel.once('exit', () => {
      for (const standIn of open) standIn.close();
      open.clear();
    });
    return open;
  };

  const sendStandIn = (standIn: StandIn, message: unknown, options: SendOptions, callback?: SendCallback): boolean => {
    const open = (waiting ??= closedAtExit());
    const done: SendCallback = (error) => {
      open.delete(standIn);
      standIn.close();
      if (typeof callback === 'function') callback(error);
      else if (error && !(typeof options === 'object' ? options.swallowErrors : options)) channel.emit('error', error);
    };
    open.add(standIn);
    const queued = channel._handleQueue?.length;
    announce(true);
    let taken: boolean;
    try {
      taken = Reflect.apply(send, channel, [message, standIn.object, options, done]);
    } catch (error) {
      announce(false);
      open.delete(standIn);
      standIn.refused();
      throw error;
    }
    standIn.left();
    // Node answers whether the queue was empty, and the announcement is in it as well.
    return queued === undefined ? taken : queued === 0;
  };

  channel._send = function _send(message, handle, options, callback): boolean {
    // A wrong message is Node's to refuse, before anything has happened to what goes with it.
    const isSendable = message !== undefined && SENDABLE.has(typeof message);
    if (!isSendable || !isOurs(handle)) return Reflect.apply(send, this, [message, handle, options, callback]);
    const standIn = standInFor(handle, options, early);
    if (standIn === null) return Reflect.apply(send, this, [message, undefined, options, callback]);
    return sendStandIn(standIn, message, options, callback);
  };
}
