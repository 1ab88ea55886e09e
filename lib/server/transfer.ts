// Transfers a listening server to another thread, with the connections in its backlog and those accepted ahead.
import type { EventEmitter } from 'node:events';

import { ERR_WORKER_HANDLE_NOT_TRANSFERABLE } from '../errors/errors.js';
import { StreamHandle } from '../handle/stream.js';
import type { Messaging } from '../thread/messaging.js';
import { type SentHandle, sentinelFor, receiveHandle, sendHandle } from '../thread/transfer.js';

/** Properties that are transferred besides the handle. */
const SETTINGS = [
  'allowHalfOpen',
  'pauseOnConnect',
  'noDelay',
  '_nativeRelay',
  'keepAlive',
  'keepAliveInitialDelay',
  'highWaterMark',
  'blockList',
  'maxConnections',
  'dropMaxConnection',
] as const;

interface TransferredServer extends EventEmitter {
  _handle: StreamHandle | null;
  _pipeName?: string | undefined;
  listen: (handle: StreamHandle) => unknown;
}

/** What a message carries in place of a server. */
interface SentServer {
  sent: SentHandle;
  path: string | undefined;
  settings: Record<string, unknown>;
}

/** `construct` initializes an object as a server. */
export function serverMessaging(construct: (server: TransferredServer) => void): Messaging<TransferredServer> {
  return {
    list(server) {
      check(server);
      return [sentinelFor(server, 'net.Server')];
    },
    transfer: sendServer,
    receive: (empty, data) => receiveServer(empty, data as SentServer, construct),
  };
}

/** @throws Error ERR_WORKER_HANDLE_NOT_TRANSFERABLE */
function check({ _handle: handle }: TransferredServer): StreamHandle {
  if (!(handle instanceof StreamHandle)) throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Server');
  return handle;
}

// As with node:net, the sending server emits no `close`.
function sendServer(server: TransferredServer): SentServer {
  const handle = check(server);
  const sent = sendHandle(server, handle, [], false);
  const { _pipeName: path } = server;
  handle.close();
  server._handle = null;
  server._pipeName = undefined;
  const settings: Record<string, unknown> = {};
  for (const name of SETTINGS)
    if (name in server) settings[name] = (server as unknown as Record<string, unknown>)[name];
  return { sent, path, settings };
}

function receiveServer(
  empty: TransferredServer,
  { sent, path, settings }: SentServer,
  construct: (server: TransferredServer) => void,
): void {
  const handle = receiveHandle(sent, 'SERVER');
  construct(empty);
  Object.assign(empty, settings);
  empty.listen(handle);
  empty._pipeName = path;
}
