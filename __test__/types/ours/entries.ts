// The other entry points.
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import * as nodeNet from 'node:net';
import * as tls from 'node:tls';
import * as net from 'ferronet';
import { type Driver, isRelayed, stats, type Stats } from 'ferronet/diagnostics';
import { adopt, release } from 'ferronet/handover';
import { connectHttp2, connectTls, type FrontServer, HttpAgent, HttpsAgent, serve } from 'ferronet/http';
import 'ferronet/register';
import { type InheritedSocket, listenFds, listenFdsWithNames } from 'ferronet/systemd';

const adopted: net.FerronetSocket = adopt(new nodeNet.Socket());
const taken: net.FerronetServer = adopt(http.createServer(), { backlog: 5 });
export const back: [nodeNet.Socket, nodeNet.Server, net.Socket] = [
  release(adopted),
  release(taken),
  adopt(tls.connect(1)),
];

const server: FrontServer = serve(http.createServer(), { noDelay: false }).listen(80);
server.on('connection', (socket: nodeNet.Socket) => socket.end());
serve(https.createServer());
serve(http2.createSecureServer());
serve(tls.createServer());
const agent: HttpAgent = new HttpAgent({ keepAlive: true });
http.get({ agent });
https.get({ agent: new HttpsAgent({ maxSockets: 3 }) });
const secured: tls.TLSSocket = connectTls({ host: 'localhost', port: 443, ALPNProtocols: ['h2'] }, () => secured.end());
const session: http2.ClientHttp2Session = connectHttp2('https://localhost', { ca: '' }, (made) => made.ping(() => {}));
export const both = [server, session];

const [socket]: InheritedSocket[] = listenFds({ unsetEnvironment: true });
net.createServer().listen(socket ?? { port: 80 });
for (const each of listenFdsWithNames()['web'] ?? []) new net.Socket(each);

const here: Stats = stats();
const { bytes, driver, driving }: Stats = stats({ all: true });
export const numbers: [number, number, Driver] = [here.connections, bytes.received + here.batches.sends, driver];
export const isSo: boolean = isRelayed(new nodeNet.Socket()) || isRelayed(new net.Socket()) || driving === 'none';

// @ts-expect-error there is nothing to hand over
adopt({});
// @ts-expect-error an agent is no server
serve(agent);
