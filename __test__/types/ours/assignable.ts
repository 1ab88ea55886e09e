// What has a name in node:net is assignable to it and from it.
import * as nodeNet from 'node:net';
import * as net from 'ferronet';

declare function fits<Wanted>(given: Wanted): void;

/** The types of both by name. */
interface Ours {
  socket: net.Socket;
  server: net.Server;
  address: net.AddressInfo;
  list: net.BlockList;
  socketAddress: net.SocketAddress;
  init: net.SocketAddressInitOptions;
  version: net.IPVersion;
  drop: net.DropArgument;
  listen: net.ListenOptions;
  lookup: net.LookupFunction;
  onread: net.OnReadOpts;
  options: net.ServerOpts;
  constructed: net.SocketConstructorOpts;
  state: net.SocketReadyState;
  tcpTarget: net.TcpSocketConnectOpts;
  localTarget: net.IpcSocketConnectOpts;
  target: net.SocketConnectOpts;
  tcp: net.TcpNetConnectOpts;
  local: net.IpcNetConnectOpts;
  connect: net.NetConnectOpts;
}
interface Nodes {
  socket: nodeNet.Socket;
  server: nodeNet.Server;
  address: nodeNet.AddressInfo;
  list: nodeNet.BlockList;
  socketAddress: nodeNet.SocketAddress;
  init: nodeNet.SocketAddressInitOptions;
  version: nodeNet.IPVersion;
  drop: nodeNet.DropArgument;
  listen: nodeNet.ListenOptions;
  lookup: nodeNet.LookupFunction;
  onread: nodeNet.OnReadOpts;
  options: nodeNet.ServerOpts;
  constructed: nodeNet.SocketConstructorOpts;
  state: nodeNet.SocketReadyState;
  tcpTarget: nodeNet.TcpSocketConnectOpts;
  localTarget: nodeNet.IpcSocketConnectOpts;
  target: nodeNet.SocketConnectOpts;
  tcp: nodeNet.TcpNetConnectOpts;
  local: nodeNet.IpcNetConnectOpts;
  connect: nodeNet.NetConnectOpts;
}
fits<Nodes>({} as Ours);
fits<Ours>({} as Nodes);
fits<Nodes>({} as { [Name in keyof Ours]: Ours[Name] });

// What the module makes is Node's as well.
fits<nodeNet.Socket>(net.connect(80));
fits<nodeNet.Server>(net.createServer());
fits<nodeNet.BlockList>(new net.BlockList());
fits<nodeNet.SocketAddress>(new net.SocketAddress());

// The functions and the classes, one by one and as a whole.
const create: typeof import('node:net').createServer = net.createServer;
const connect: typeof import('node:net').connect = net.connect;
const socket: typeof import('node:net').Socket = net.Socket;
const server: typeof import('node:net').Server = net.Server;
const list: typeof import('node:net').BlockList = net.BlockList;
const address: typeof import('node:net').SocketAddress = net.SocketAddress;
const whole: typeof import('node:net') = net;
const either: typeof import('node:net') = process.argv.length > 2 ? net : nodeNet;
export const all = { create, connect, socket, server, list, address, whole, either };
