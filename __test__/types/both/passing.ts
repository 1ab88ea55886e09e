// Sockets and servers passed to other modules of Node, and theirs to functions of the program.
import { fork } from 'node:child_process';
import * as http from 'node:http';
import * as https from 'node:https';
import * as stream from 'node:stream';
import * as tls from 'node:tls';
import * as nodeNet from 'node:net';
import * as net from 'ferronet';

function ofNode(socket: nodeNet.Socket): nodeNet.Socket {
  return socket;
}
function ofOurs(socket: net.Socket): net.Socket {
  return socket;
}

const child = fork('x');
child.send('s', net.connect(80));
child.send('s', net.createServer(), { keepOpen: true }, (error) => console.log(error));
child.on('message', (_message, handle) => handle instanceof net.Socket && ofOurs(handle).end());
ofNode(net.connect(80));
ofNode(new net.Socket());
ofNode(ofOurs(nodeNet.connect(80)));
http.createServer((request, response) => {
  ofOurs(request.socket).setNoDelay();
  if (response.socket) ofOurs(response.socket);
});
http.get('x').on('socket', (socket) => ofOurs(socket));
const servers: net.Server[] = [http.createServer(), https.createServer(), tls.createServer(), nodeNet.createServer()];
const back: nodeNet.Server[] = [net.createServer(), new net.Server(), ...servers];
back[0]?.on('connection', (socket) => ofOurs(socket));
http.createServer().emit('connection', net.connect(80));
http.get({ createConnection: () => net.connect(80) });
http.get({ createConnection: net.connect as unknown as () => stream.Duplex });
tls.connect({ socket: net.connect(80) }).getPeerCertificate();
ofOurs(new tls.TLSSocket(net.connect(80)));
const duplex: stream.Duplex = net.connect(80);
stream.pipeline(duplex, net.connect(80), () => {});
const sets = new Map<net.Socket, Set<net.Socket>>();
const same: Map<nodeNet.Socket, Set<nodeNet.Socket>> = sets;
same.set(net.connect(80), new Set([net.connect(81)]));

// @ts-expect-error a server is no socket
ofNode(net.createServer());
// @ts-expect-error a stream is no socket
ofOurs(new stream.Duplex());
