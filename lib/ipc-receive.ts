// What a process of ours has sent arrives as ours in every process that has this package loaded; in others, and from
// others, as node:net's.
import { define } from './define.js';
import type { StreamHandle } from './handle.js';
import type { InternalMessage, IpcChannel } from './ipc-channel.js';
import { type NodeHandle, shareNodeHandle } from './node-handle.js';
import { Server } from './server.js';
import type { SocketConstructorOptions } from './socket-options.js';
import { Socket } from './socket.js';

type HandleMessage = Extract<InternalMessage, { type: string }>;

/** Of one server of the other process: the sockets that it has sent here and that are open. It asks now and then. */
class SentSockets {
  count = 0;
  #toTell: (() => void) | undefined;

  add(socket: Socket): void {
    this.count += 1;
    socket.once('close', () => {
      this.count -= 1;
      this.#tell();
    });
  }

  /** Calls back when there are none. */
  whenClosed(callback: () => void): void {
    this.#toTell = callback;
    this.#tell();
  }

  #tell(): void {
    if (this.count > 0) return;
    this.#toTell?.();
    this.#toTell = undefined;
  }
}

/** Makes `channel` give what was ours as ours. */
export function receiveOurs(channel: IpcChannel): void {
  const sent = new Map<string, SentSockets>();
  let isAnnounced = false;
  /** While Node is told of an object of ours as if it had just come. */
  let isTelling = false;

  const answer = (message: InternalMessage): void => {
    if (channel.connected) channel._send(message, undefined, true);
  };

  const count = (key: string): SentSockets => {
    let sockets = sent.get(key);
    if (sockets === undefined) sent.set(key, (sockets = new SentSockets()));
    return sockets;
  };

  /** Node acknowledges it, and tells the program when somebody listens, as if the handle itself had been sent. */
  const tell = (message: HandleMessage, object: object): void => {
    isTelling = true;
    // On Windows Node calls this on whatever has come.
    define(object, 'setSimultaneousAccepts', { value() {}, configurable: true });
    channel.emit('internalMessage', { ...message, cmd: 'NODE_HANDLE', type: 'net.Native' }, object);
    Reflect.deleteProperty(object, 'setSimultaneousAccepts');
    isTelling = false;
  };

  const receive = (message: HandleMessage, handle: StreamHandle): void => {
    if (message.type === 'net.Server') {
      const server = new Server();
      server.listen(handle, () => tell(message, server));
    } else if (message.type === 'net.Socket') {
      const socket = new Socket({ handle, readable: true, writable: true } as unknown as SocketConstructorOptions);
      if (message.key !== undefined) count(message.key).add(socket);
      tell(message, socket);
    } else {
      tell(message, handle);
    }
  };

  // Before Node's own listener.
  channel.prependListener('internalMessage', (message: InternalMessage, node?: NodeHandle) => {
    switch (message.cmd) {
      case 'NODE_FERRONET':
        isAnnounced = message.next;
        break;
      case 'NODE_HANDLE': {
        // A handle that has been lost on the way is sent again.
        if (isTelling || !isAnnounced || node === undefined) break;
        isAnnounced = false;
        const handle = shareNodeHandle(node, message.type !== 'net.Socket');
        // Without a descriptor to spare, Node's is better than none.
        if (typeof handle === 'number') break;
        node.close();
        const taken = { ...message };
        message.cmd = 'NODE_FERRONET_HANDLE';
        receive(taken, handle);
        break;
      }
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
