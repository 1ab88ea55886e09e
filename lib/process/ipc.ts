// Everything that ferronet adds to an IPC channel. Loaded with the first channel: most programs have none.
import { reassignUnanswered } from './cluster-primary.js';
import { type IpcChannel, PeerProcess } from './channel.js';
import { attachReceiver } from './receive.js';
import { attachSender } from './send.js';

/** Makes a channel send and receive ferronet's sockets, servers and handles. */
export function attachChannel(channel: IpcChannel): void {
  const peer = new PeerProcess();
  attachSender(channel, peer);
  attachReceiver(channel, peer);
  reassignUnanswered(channel);
}
