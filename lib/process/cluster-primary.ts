// In the primary of a cluster, under SCHED_RR: a connection that was on its way to a worker when that died. Node waits for
// the worker's answer for ever, and so does the client; here another worker gets the connection. The answer that has not
// come means that the worker has not touched it: it answers before it reads, and what it has answered arrives before the
// channel ends.
import { setImmediate } from 'node:timers';

import type { InternalMessage, IpcChannel, NewConnection } from './channel.js';

/** By what a server is known in the cluster: the channels to workers that were sent connections for it. */
const served = new Map<string, Set<IpcChannel>>();

function isNewConnection(message: unknown): message is NewConnection {
  const { cmd, act } = (message ?? {}) as Partial<NewConnection>;
  return cmd === 'NODE_CLUSTER' && act === 'newconn';
}

/** The connections that one worker was sent and has not answered for. */
class Unanswered {
  readonly #channel: IpcChannel;
  /** The keys of their servers, by the numbers of the messages. */
  readonly #keys = new Map<number, string>();

  constructor(channel: IpcChannel) {
    this.#channel = channel;
    channel.on('internalMessage', (message: InternalMessage) => {
      if (message.cmd === 'NODE_CLUSTER' && 'ack' in message) this.#keys.delete(message.ack);
    });
    // When Node has taken the worker off its lists.
    channel.once('disconnect', () => setImmediate(() => this.#reassign()));
    // While a handle is on its way Node tells of no `disconnect`. It looks at the end of the process if the channel has
    // ended before; in the other order the worker would stay on its lists, and a server open that only the dead ones have.
    channel.once('exit', () => {
      if (!channel.connected) setImmediate(() => this.#reassign());
      else channel.once('close', () => this.#disconnect());
    });
  }

  add({ seq, key }: NewConnection): void {
    this.#keys.set(seq, key);
    const channels = served.get(key);
    if (channels) channels.add(this.#channel);
    else served.set(key, new Set([this.#channel]));
  }

  /** The process and then its channel have ended. */
  #disconnect(): void {
    if (this.#channel._handleQueue) this.#channel.emit('disconnect');
  }

  #reassign(): void {
    served.forEach((channels, key) => {
      channels.delete(this.#channel);
      if (channels.size === 0) served.delete(key);
    });
    const unanswered = new Map(this.#keys);
    this.#keys.clear();
    unanswered.forEach((key, seq) => {
      // Refused in the worker's name, the connection goes to another one; accepted, it is closed, which is what is left
      // where nobody else serves it.
      const message: InternalMessage = { cmd: 'NODE_CLUSTER', ack: seq, accepted: !served.has(key) };
      this.#channel.emit('internalMessage', message, undefined);
    });
  }
}

/** Has the connections that the process at the other end of `channel` did not answer for given to others when it ends. */
export function reassignUnanswered(channel: IpcChannel): void {
  const send = channel._send;
  let unanswered: Unanswered | undefined;
  channel._send = function _send(message, handle, options, callback): boolean {
    if (handle && isNewConnection(message)) (unanswered ??= new Unanswered(channel)).add(message);
    return Reflect.apply(send, this, [message, handle, options, callback]);
  };
}
