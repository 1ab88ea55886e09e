// In the primary of a cluster, under SCHED_RR: gives a connection to another worker if the one it was sent to has died. Node
// waits for that worker's answer for ever, and so does the client. Without an answer the worker has not touched the
// connection: it answers before it reads, and its answers arrive before the channel ends.
import { setImmediate } from 'node:timers';

import type { InternalMessage, IpcChannel, NewConnection } from './channel.js';

/** For the key of each server, the channels to workers that were sent connections for it. */
const channelsByKey = new Map<string, Set<IpcChannel>>();

function isNewConnection(message: unknown): message is NewConnection {
  const { cmd, act } = (message ?? {}) as Partial<NewConnection>;
  return cmd === 'NODE_CLUSTER' && act === 'newconn';
}

/** The connections that were sent to one worker and not answered yet. */
class Unanswered {
  readonly #channel: IpcChannel;
  /** The keys of their servers, by the sequence numbers of the messages. */
  readonly #keys = new Map<number, string>();

  constructor(channel: IpcChannel) {
    this.#channel = channel;
    channel.on('internalMessage', (message: InternalMessage) => {
      if (message.cmd === 'NODE_CLUSTER' && 'ack' in message) this.#keys.delete(message.ack);
    });
    // After Node's own listener has removed the worker from its lists.
    channel.once('disconnect', () => setImmediate(() => this.#reassign()));
    // Node emits no `disconnect` while a handle is unacknowledged. If the channel ends first, Node's `exit` listener removes
    // the worker. If the process ends first, the worker would stay on its lists, and keep a server open that only dead
    // workers have.
    channel.once('exit', () => {
      if (!channel.connected) setImmediate(() => this.#reassign());
      else channel.once('close', () => this.#disconnect());
    });
  }

  add({ seq, key }: NewConnection): void {
    this.#keys.set(seq, key);
    const channels = channelsByKey.get(key);
    if (channels) channels.add(this.#channel);
    else channelsByKey.set(key, new Set([this.#channel]));
  }

  /** The process and then its channel have ended. */
  #disconnect(): void {
    if (this.#channel._handleQueue) this.#channel.emit('disconnect');
  }

  #reassign(): void {
    channelsByKey.forEach((channels, key) => {
      channels.delete(this.#channel);
      if (channels.size === 0) channelsByKey.delete(key);
    });
    const unanswered = new Map(this.#keys);
    this.#keys.clear();
    unanswered.forEach((key, seq) => {
      // Answers for the dead worker. A refused connection goes to another worker. An accepted one is closed, which is right
      // if no other worker serves it.
      const message: InternalMessage = { cmd: 'NODE_CLUSTER', ack: seq, accepted: !channelsByKey.has(key) };
      this.#channel.emit('internalMessage', message, undefined);
    });
  }
}

/** Gives connections that were sent over `channel` and not answered to other workers when the process at its end dies. */
export function reassignUnanswered(channel: IpcChannel): void {
  const send = channel._send;
  let unanswered: Unanswered | undefined;
  channel._send = function _send(message, handle, options, callback): boolean {
    if (handle && isNewConnection(message)) (unanswered ??= new Unanswered(channel)).add(message);
    return Reflect.apply(send, this, [message, handle, options, callback]);
  };
}
