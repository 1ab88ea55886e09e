// Receiving over an IPC channel. A socket or server that ferronet has sent arrives as ferronet's in a process that has loaded
// ferronet. Between all other processes it arrives as one of node:net.
import { define } from '../node/define.js';
import { applyInFlight, type InFlight } from './detached-connection.js';
import { inLaterTurn } from '../handle/dispatcher.js';
import { errnoException } from '../errors/errors.js';
import type { StreamHandle } from '../handle/stream.js';
import {
  type Announcement,
  type HandleMessage,
  type InternalMessage,
  type IpcChannel,
  type PeerProcess,
  type Piece,
  sendPastQueue,
} from './channel.js';
import type { NodeHandle } from '../handle/node-classes.js';
import { shareNodeHandle } from '../server/node-handle.js';
import { Server } from '../server/server.js';
import type { SocketConstructorOptions } from '../stream/options.js';
import { Socket } from '../socket/socket.js';

/** The open sockets that one server of the other process has sent here. That process asks for their number. */
class ReceivedSockets {
  count = 0;
  #onclosed: (() => void) | undefined;

  add(socket: Socket): void {
    this.count += 1;
    socket.once('close', () => {
      this.count -= 1;
      this.#callBackIfClosed();
    });
  }

  /** Calls back when none is open. */
  whenClosed(callback: () => void): void {
    this.#onclosed = callback;
    this.#callBackIfClosed();
  }

  #callBackIfClosed(): void {
    if (this.count > 0) return;
    this.#onclosed?.();
    this.#onclosed = undefined;
  }
}

/** What was announced of the next handle. */
class ExpectedHandle implements InFlight {
  readonly unread: Buffer[] = [];
  readonly unsent: Buffer[] = [];
  readError = 0;
  ends = false;
  isAnnounced = false;

  add({ of, bytes }: Piece): void {
    this[of].push(Buffer.from(bytes, 'base64'));
  }

  announce({ next, error = 0, ends = false }: Announcement): void {
    this.isAnnounced = next;
    this.readError = error;
    this.ends = ends;
  }

  /** Whether bytes of the connection would be lost without this. */
  get isNeeded(): boolean {
    return this.unread.length > 0 || this.unsent.length > 0 || this.ends;
  }
}

/** Makes `channel` deliver what ferronet has sent as ferronet's. */
export function attachReceiver(channel: IpcChannel, peer: PeerProcess): void {
  const send = channel._send;
  const sent = new Map<string, ReceivedSockets>();
  let expected = new ExpectedHandle();
  /** While a `NODE_HANDLE` message is emitted again, with a ferronet object. */
  let isDelivering = false;

  const answer = (message: InternalMessage): void => {
    if (channel.connected) channel._send(message, undefined, true);
  };

  const count = (key: string): ReceivedSockets => {
    let sockets = sent.get(key);
    if (sockets === undefined) sent.set(key, (sockets = new ReceivedSockets()));
    return sockets;
  };

  /** Emits the message again with `object`, so that Node acknowledges it and delivers it to the program. */
  const deliver = (message: HandleMessage, object: object): void => {
    isDelivering = true;
    // On Windows Node calls this method of every handle.
    define(object, 'setSimultaneousAccepts', { value() {}, configurable: true });
    channel.emit('internalMessage', { ...message, cmd: 'NODE_HANDLE', type: 'net.Native' }, object);
    Reflect.deleteProperty(object, 'setSimultaneousAccepts');
    isDelivering = false;
  };

  const receive = (message: HandleMessage, handle: StreamHandle, inFlight: InFlight): void => {
    if (message.type === 'net.Server') {
      // The sender may still accept from it.
      handle.share();
      const server = new Server();
      server.listen(handle, () => deliver(message, server));
    } else if (message.type === 'net.Socket') {
      const socket = new Socket({ handle, readable: true, writable: true } as unknown as SocketConstructorOptions);
      applyInFlight(socket, handle, inFlight);
      if (message.key !== undefined) count(message.key).add(socket);
      deliver(message, socket);
    } else {
      handle.share();
      deliver(message, handle);
    }
  };

  /** Delivers a socket that fails: without a descriptor, the bytes that were sent along have no connection. */
  const refuse = (message: HandleMessage, errno: number): void => {
    const socket = new Socket();
    deliver(message, socket);
    inLaterTurn(() => socket.destroy(errnoException(errno, 'dup')));
  };

  const take = (message: HandleMessage, node: NodeHandle): void => {
    const inFlight = expected;
    expected = new ExpectedHandle();
    const handle = shareNodeHandle(node, message.type !== 'net.Socket');
    // No descriptor is free for a duplicate: Node's object, which needs none, is delivered instead.
    if (typeof handle === 'number' && !inFlight.isNeeded) return;
    node.close();
    const taken = { ...message };
    message.cmd = 'NODE_FERRONET_HANDLE';
    if (typeof handle === 'number') refuse(taken, handle);
    else receive(taken, handle, inFlight);
  };

  const answerLoaded = (): void => sendPastQueue(channel, send, { cmd: 'NODE_FERRONET', loaded: true });

  // Before Node's own listener.
  channel.prependListener('internalMessage', (message: InternalMessage, node: NodeHandle | null | undefined) => {
    switch (message.cmd) {
      case 'NODE_FERRONET':
        if ('loaded' in message) {
          peer.become('ferronet');
        } else if ('of' in message) {
          expected.add(message);
        } else {
          if (message.ask === true) answerLoaded();
          if (!message.next) expected = new ExpectedHandle();
          expected.announce(message);
        }
        break;
      case 'NODE_HANDLE':
        if (isDelivering) break;
        // Without a handle, which was lost on the way, Node asks the sender to repeat the message.
        if (node && expected.isAnnounced) take(message, node);
        else if (!node && message.ask === true) answerLoaded();
        break;
      case 'NODE_HANDLE_ACK':
        if (peer.isAsked) peer.answeredByNode();
        peer.isAsked = false;
        break;
      case 'NODE_HANDLE_NACK':
        if (peer.probes === 0) break;
        // The answer to a probe. Node has not sent it, so it must not see the answer.
        message.cmd = 'NODE_FERRONET_NACK';
        peer.probes -= 1;
        peer.answeredByNode();
        break;
      case 'NODE_SOCKET_GET_COUNT': {
        const sockets = sent.get(message.key);
        if (sockets) answer({ cmd: 'NODE_SOCKET_COUNT', key: message.key, count: sockets.count });
        break;
      }
      case 'NODE_SOCKET_NOTIFY_CLOSE': {
        const { key } = message;
        sent.get(key)?.whenClosed(() => answer({ cmd: 'NODE_SOCKET_ALL_CLOSED', key }));
        break;
      }
    }
  });
}
