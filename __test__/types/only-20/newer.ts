// What the typings of Node 20 lack and this module has nevertheless.
import * as net from 'ferronet';

const target: net.TcpSocketConnectOpts = { port: 80, noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 };
net.connect(target).connect(target);
const old: net.ConnectOpts = { onread: { buffer: new Uint8Array(1), callback: () => true } };
net.connect({ port: 80, ...old });
net.createServer((socket) => socket.setTypeOfService(1).getTypeOfService());
net.connect(80).setKeepAlive({ enable: true, count: 3 }).setKeepAlive(true, 1, 2, 3);
