// All that a channel to another process has of ours. Loaded with the first channel: most programs have none.
import { giveBackUnanswered } from './cluster-primary.js';
import { type IpcChannel, PeerProcess } from './channel.js';
import { receiveOurs } from './receive.js';
import { sendOurs } from './send.js';

/** Makes a channel take and give what is ours. */
export function attachChannel(channel: IpcChannel): void {
  const peer = new PeerProcess();
  sendOurs(channel, peer);
  receiveOurs(channel, peer);
  giveBackUnanswered(channel);
}
