// Signatures as packages have them in their typings, written again here: the packages' own would need each other, and
// @types/node of one version.
import * as nodeNet from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import * as net from 'ferronet';

// undici: buildConnector.connector
type Done = (...args: [null, nodeNet.Socket | TLSSocket] | [Error, null]) => void;
declare class Agent {
  constructor(options: { connect?: (options: { hostname: string; port: string }, done: Done) => void });
}
new Agent({
  connect: ({ hostname, port }, done) => {
    const socket = net.connect(Number(port), hostname);
    socket.once('connect', () => done(null, socket)).once('error', (error) => done(error, null));
  },
});

// ssh2: Server.injectSocket and the sock of a client
declare class Ssh {
  injectSocket(socket: nodeNet.Socket): void;
  connect(options: { sock?: Duplex }): this;
}
new Ssh().connect({ sock: net.connect(22) }).injectSocket(net.connect(22));
net.createServer((socket) => new Ssh().injectSocket(socket));

// promise-socket
declare class PromiseSocket<TSocket extends nodeNet.Socket = nodeNet.Socket> {
  readonly stream: TSocket;
  constructor(stream?: TSocket);
  connect(port: number): Promise<void>;
}
const promising = new PromiseSocket(net.connect(80));
promising.stream.setNoDelay();
const annotated: PromiseSocket<net.Socket> = new PromiseSocket<nodeNet.Socket>(new net.Socket());
void annotated.connect(80);

// server-destroy, stoppable, http-shutdown
declare function enableDestroy(server: nodeNet.Server): void;
declare function stoppable<S extends nodeNet.Server>(server: S): S & { stop(): void };
enableDestroy(net.createServer());
stoppable(net.createServer())
  .listen(0)
  .on('connection', (socket) => socket.end());
stoppable(net.createServer()).stop();

// socks: SocksClient.createConnection
declare function createSocks(options: { existing_socket?: Duplex }): Promise<{ socket: nodeNet.Socket }>;
async function tunnel(): Promise<net.Socket> {
  return (await createSocks({ existing_socket: net.connect(1080) })).socket;
}
void tunnel();

// @ts-expect-error of sockets only
new PromiseSocket(net.createServer());
