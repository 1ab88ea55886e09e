// What sockets and servers say of their ends, in every state.
import type { Server, Socket } from 'node:net';

import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

const FIELDS = [
  ...(['localAddress', 'localFamily', 'localPort', 'remoteAddress', 'remoteFamily', 'remotePort'] as const),
  ...(['bytesRead', 'bytesWritten', 'bufferSize', 'timeout', 'pending', 'connecting', 'readyState'] as const),
];

function ends(stage: Stage, lane: string, label: string, socket: Socket): void {
  for (const field of FIELDS) stage.log.note(lane, `${label} ${field}=${String(socket[field])}`);
  const address = JSON.stringify(socket.address());
  stage.log.note(lane, `${label} address ${address}`);
}

// All states of a connection between the loopback addresses `host`, to a server on `address`.
async function walk(stage: Stage, address: string, host: string): Promise<void> {
  const server = stage.server('S', { data: false });
  server.listen(0, address);
  await stage.until(server, 'listening');
  stage.log.name(stage.portOf(server), 'PORT');
  stage.log.note('S', JSON.stringify(server.address()));
  const client = stage.socket('C', { data: false });
  ends(stage, 'C', 'fresh', client);
  client.connect(stage.portOf(server), host);
  ends(stage, 'C', 'connecting', client);
  const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  // The port that the system chose has a name in the log as well.
  stage.log.name(Number(client.localPort), 'LOCAL');
  ends(stage, 'C', 'connected', client);
  ends(stage, 'A', 'accepted', accepted);
  stage.log.note('C', `the ends agree: ${accepted.remotePort === client.localPort}`);
  client.destroy();
  await stage.closed(client);
  ends(stage, 'C', 'closed', client);
  await stage.finish(server);
  stage.log.note('S', `closed ${JSON.stringify(server.address())}`);
}

parity('IPv4', (stage) => walk(stage, '127.0.0.1', '127.0.0.1'));

parity('IPv6', (stage) => walk(stage, '::1', '::1'));

parity('IPv4 to a server on all addresses', (stage) => walk(stage, '::', '127.0.0.1'));

parity('a server for IPv6 only', async (stage) => {
  const server = stage.server();
  server.listen({ port: 0, host: '::', ipv6Only: true });
  await stage.until(server, 'listening');
  const port = stage.portOf(server);
  stage.log.name(port, 'PORT');
  const refused = stage.socket('IPv4').connect(port, '127.0.0.1');
  await stage.closed(refused);
  const client = stage.socket('IPv6').connect(port, '::1');
  await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  client.end();
  await stage.finish(server);
});

parity('a local address and port of one’s own choice', async (stage) => {
  const free: Server = stage.server('F');
  free.listen(0, '127.0.0.1');
  await stage.until(free, 'listening');
  const localPort = stage.portOf(free);
  stage.log.name(localPort, 'CHOICE');
  free.close();
  await stage.closed(free);
  const server = await stage.listening();
  const client = stage.socket();
  client.connect({ port: stage.portOf(server), host: '127.0.0.1', localAddress: '127.0.0.1', localPort });
  await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  stage.log.note('C', `localPort is the choice: ${client.localPort === localPort}`);
  // With RST nothing of the pair stays behind, and the next one may bind the port.
  client.resetAndDestroy();
  await stage.finish(server);
});

parity('a local port that is none', async (stage) => {
  const server = await stage.listening();
  for (const localPort of [65_536, 0.5, 1e10]) {
    const client = stage.socket(`C ${localPort}`);
    client.connect({ port: stage.portOf(server), host: '127.0.0.1', localPort });
    await stage.closed(client);
  }
  await stage.finish(server);
});
