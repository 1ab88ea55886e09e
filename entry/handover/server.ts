// Hands a listening socket to another owner: the connections in its backlog stay there, and those that ferronet has accepted
// ahead are passed on. The path of a local socket stays, and belongs to the new owner.
import { renameSync, rmSync } from 'node:fs';
import { type ServerOpts, type BlockList, Server as NodeServer } from 'node:net';

import { _createServerHandle, Server as FerronetServer } from '../../index.js';
import { duplicateDescriptor } from '../../lib/handle/binding.js';
import { ERR_INVALID_STATE, ERR_SERVER_NOT_RUNNING, errnoException, uvErrno } from '../../lib/errors/errors.js';
import type { StreamHandle } from '../../lib/handle/stream.js';
import type { Server } from '../../lib/server/server.js';
import { type AnyHandle, isPlain } from './refusal.js';
import { duplicated, withDescriptor } from './socket.js';

/** The fields that both kinds of servers have. */
interface ServerFields {
  _handle: AnyHandle | null;
  _pipeName?: string | undefined;
  _unref: boolean;
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveInitialDelay: number;
  highWaterMark: number;
  blockList?: BlockList | undefined;
  maxConnections?: number;
  dropMaxConnection?: boolean;
}

/** Node's own handle of a listening socket. */
interface NodeHandle extends AnyHandle {
  constructor: new (type: number) => NodeHandle;
  open: (fd: number) => number;
  close: (callback?: () => void) => void;
  onconnection: (status: number, client: NodeHandle) => void;
}

/** `TCP.SOCKET` and `Pipe.SOCKET`. */
const SOCKET = 0;

export function adoptServer(server: NodeServer, backlog: number | undefined): Server {
  const fields = server as unknown as ServerFields;
  const { fd } = listenerOf(fields);
  const handle = withDescriptor(duplicated(duplicateDescriptor(fd)), (own) => {
    const opened = _createServerHandle(null, null, null, own);
    if (typeof opened === 'number') throw errnoException(opened, 'open');
    return opened;
  });
  const adopted = new FerronetServer(optionsOf(fields));
  listen(adopted as unknown as NodeServer, handle, backlog);
  const path = closeKeepingPath(fields._pipeName, () => server.close());
  if (path !== undefined) handle.ownPath(path);
  handle.unshare();
  passOn(fields, adopted as unknown as ServerFields);
  return adopted;
}

export function releaseServer(server: Server, backlog: number | undefined): NodeServer {
  const fields = server as unknown as ServerFields;
  const handle = listenerOf(fields) as StreamHandle;
  const released = new NodeServer(optionsOf(fields));
  listen(released, { fd: duplicated(handle.duplicate()) }, backlog);
  const listening = (released as unknown as { _handle: NodeHandle })._handle;
  handle.retire();
  const clients: number[] = [];
  for (let client = handle.takeAccepted(); client; client = handle.takeAccepted()) {
    clients.push(duplicated(client.duplicate()));
    client.close();
  }
  // After `listening`, and once the caller has added its listeners.
  if (clients.length > 0) process.nextTick(() => clients.forEach((fd) => deliver(listening, fd)));
  if (isFile(fields._pipeName)) removeWith(listening, fields._pipeName);
  passOn(fields, released as unknown as ServerFields);
  server.close();
  return released;
}

/** @throws Error ERR_SERVER_NOT_RUNNING, ERR_INVALID_STATE */
function listenerOf({ _handle: handle }: ServerFields): AnyHandle {
  if (handle === null) throw new ERR_SERVER_NOT_RUNNING();
  // In a worker of a cluster the handle only represents the primary's.
  if (!isPlain(handle)) throw new ERR_INVALID_STATE('the listening socket of the server is in another process');
  return handle;
}

function optionsOf(server: ServerFields): ServerOpts & { blockList?: BlockList } {
  const { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, highWaterMark, blockList } = server;
  const keepAliveInitialDelay = server.keepAliveInitialDelay * 1000;
  const options = { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark };
  return blockList ? { ...options, blockList } : options;
}

function listen(server: NodeServer, on: object, backlog: number | undefined): void {
  server.listen(on, backlog);
  if (server.listening) return;
  // The error itself comes as an event, after this call has thrown.
  server.on('error', () => {});
  throw errnoException(uvErrno('EINVAL'), 'listen');
}

function passOn(from: ServerFields, to: ServerFields): void {
  to._pipeName = from._pipeName;
  if (from.maxConnections !== undefined) to.maxConnections = from.maxConnections;
  if (from.dropMaxConnection !== undefined) to.dropMaxConnection = from.dropMaxConnection;
  if (from._unref) (to as unknown as NodeServer).unref();
}

function deliver(listening: NodeHandle, fd: number): void {
  const client = new listening.constructor(SOCKET);
  client.open(fd);
  listening.onconnection(0, client);
}

/** Abstract names of Linux are not files. */
function isFile(path: string | undefined): path is string {
  return path !== undefined && !path.startsWith('\0');
}

// libuv removes the file by its name when it closes the handle, so the file is renamed for that moment. If it cannot be
// renamed, libuv cannot remove it either. Returns the path if the file exists afterwards.
function closeKeepingPath(path: string | undefined, close: () => void): string | undefined {
  const aside = `${path}.${process.pid}-${process.hrtime.bigint()}`;
  let isAside = false;
  try {
    if (isFile(path)) renameSync(path, aside);
    isAside = isFile(path);
  } catch {}
  close();
  if (!isAside || path === undefined) return undefined;
  renameSync(aside, path);
  return path;
}

// libuv removes only a path that the handle itself has bound.
function removeWith(handle: NodeHandle, path: string): void {
  const { close } = handle;
  handle.close = function (callback) {
    rmSync(path, { force: true });
    Reflect.apply(close, this, [callback]);
  };
}
