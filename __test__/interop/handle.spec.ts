// What programs find behind `_handle`: the names of Node's own handles, and what they do.
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { both, closed, type Place } from '../_helpers/both.js';
import { localPath } from '../_helpers/local-path.js';

interface Handle {
  fd: number;
  bytesRead: number;
  bytesWritten: number;
  reading: boolean;
  onconnection: (this: Handle, status: number, client?: Handle) => void;
  onread: unknown;
  close: (done?: () => void) => void;
  ref: () => void;
  unref: () => void;
  hasRef: () => boolean;
  getAsyncId: () => number;
  getProviderType: () => unknown;
  asyncReset: (resource?: object) => void;
  readStart: () => number;
  readStop: () => number;
  setNoDelay: (on: boolean) => number;
  setKeepAlive: (on: boolean, seconds: number) => number;
  getsockname: (out: object) => number;
  getpeername: (out: object) => number;
}

function handleOf(holder: Server | Socket): Handle {
  return (holder as unknown as { _handle: Handle })._handle;
}

/** Both ends of a connection on a path. */
async function localPair(place: Place): Promise<[client: Socket, accepted: Socket]> {
  const directory = await mkdtemp(join(tmpdir(), 'net-'));
  place.atEnd(() => void rm(directory, { recursive: true, force: true }));
  const path = localPath(directory, 'socket');
  const server = place.net.createServer().listen(path);
  await once(server, 'listening');
  const client = place.net.connect(path);
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  server.close();
  place.atEnd(() => client.destroy());
  return [client, accepted as Socket];
}

both('the names of the classes', async (t, place) => {
  const { server } = await place.listen(() => {});
  const [client, accepted] = await place.pair();
  for (const each of [server, client, accepted]) t.is(handleOf(each).constructor.name, 'TCP');
  for (const each of await localPair(place)) t.is(handleOf(each).constructor.name, 'Pipe');
});

both('fd is a descriptor while there is one', async (t, place) => {
  const [client, accepted] = await place.pair();
  const { server } = await place.listen(() => {});
  const handles = [client, accepted, server].map(handleOf);
  t.true(handles.every(({ fd }) => Number.isInteger(fd) && (process.platform === 'win32' || fd > 2)));
  t.is(new Set(handles.map(({ fd }) => fd)).size, process.platform === 'win32' ? 1 : 3);
  const handle = handleOf(client);
  const over = closed(client);
  client.destroy();
  await over;
  t.true(handle.fd < 0);
  t.falsy(handleOf(client));
});

both('options are set through it, and names are asked', async (t, place) => {
  const [client, accepted] = await place.pair();
  const handle = handleOf(client);
  t.is(handle.setNoDelay(true), 0);
  t.is(handle.setNoDelay(false), 0);
  t.is(handle.setKeepAlive(true, 10), 0);
  const [local, remote] = [{}, {}];
  t.deepEqual([handle.getsockname(local), handle.getpeername(remote)], [0, 0]);
  t.deepEqual(local, { address: '127.0.0.1', family: 'IPv4', port: accepted.remotePort });
  t.deepEqual(remote, accepted.address());
});

both('bytes are counted', async (t, place) => {
  const [client, accepted] = await place.pair();
  client.write('12345');
  await once(accepted, 'data');
  t.is(handleOf(client).bytesWritten, 5);
  t.is(handleOf(accepted).bytesRead, 5);
});

both('reading is stopped and started', async (t, place) => {
  const [client, accepted] = await place.pair();
  accepted.on('data', () => {});
  const handle = handleOf(accepted);
  t.is(handle.readStop(), 0);
  let isStopped = true;
  accepted.on('data', () => t.false(isStopped));
  client.write('not yet');
  // What another connection brings there and back was ample time.
  const [other, peer] = await place.pair();
  peer.pipe(peer);
  other.write('round');
  await once(other, 'data');
  isStopped = false;
  t.is(handle.readStart(), 0);
  await once(accepted, 'data');
});

both('ref, unref and hasRef', async (t, place) => {
  const [client] = await place.pair();
  const { server } = await place.listen(() => {});
  for (const each of [client, server]) {
    const handle = handleOf(each);
    t.true(handle.hasRef());
    each.unref();
    t.false(handle.hasRef());
    handle.ref();
    t.true(handle.hasRef());
    handle.unref();
    t.false(handle.hasRef());
    each.ref();
    t.true(handle.hasRef());
  }
});

both('an async id of its own, and another one after asyncReset', async (t, place) => {
  const [client, accepted] = await place.pair();
  const handle = handleOf(client);
  const id = handle.getAsyncId();
  t.true(Number.isInteger(id) && id > 0);
  t.not(handleOf(accepted).getAsyncId(), id);
  handle.asyncReset({ type: handle.getProviderType() });
  t.true(handle.getAsyncId() > id);
});

both('onconnection is what a server listens with, and may be replaced', async (t, place) => {
  const { server, port } = await place.listen((socket) => socket.end('accepted'));
  const handle = handleOf(server);
  const original = handle.onconnection;
  t.is(typeof original, 'function');
  const statuses: unknown[] = [];
  handle.onconnection = function (status, client) {
    statuses.push([status, client?.constructor.name, this === handle]);
    Reflect.apply(original, this, [status, client]);
  };
  const client = place.connect(port);
  t.is(String((await once(client, 'data'))[0]), 'accepted');
  t.deepEqual(statuses, [[0, 'TCP', true]]);
});

both('a handle that is closed behind the back of its server frees the port', async (t, place) => {
  const { server, port } = await place.listen(() => {});
  await new Promise<void>((resolve) => handleOf(server).close(resolve));
  const again = place.net.createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
  t.pass();
});

both('a handle that is closed from outside sends the FIN', async (t, place) => {
  const [client, accepted] = await place.pair();
  const handle = handleOf(client);
  const ended = once(accepted.resume(), 'end');
  await new Promise<void>((resolve) => handle.close(resolve));
  await ended;
  t.true(handle.fd < 0);
  client.destroy();
});
