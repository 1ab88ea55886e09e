// The main entry point: the exports of node:net under the same names. As there, `module.exports` is a plain object whose
// functions and classes can be replaced. No logic. index.mjs is for `import`.
import * as address from './lib/address/is-ip.js';
import * as args from './lib/node/arguments.js';
import * as blockList from './lib/address/block-list.js';
import * as boundSocket from './lib/stream/bound-socket.js';
import './lib/process/child-process.js';
import type * as connectOptions from './lib/connect/options.js';
import * as defaults from './lib/connect/defaults.js';
import * as factories from './lib/factories.js';
import type * as events from './lib/node/events.js';
import type * as fixedBuffer from './lib/stream/onread.js';
import type * as listenOptions from './lib/server/listen-options.js';
import * as promises from './lib/promises.js';
import * as serverHandle from './lib/server/handle.js';
import * as server from './lib/server/server.js';
import type * as serverOptions from './lib/server/options.js';
import * as socketAddress from './lib/address/socket-address.js';
import type * as socketAddresses from './lib/stream/addresses.js';
import type * as socketBody from './lib/socket/body.js';
import type * as keepAlive from './lib/stream/keep-alive.js';
import type * as socketOptions from './lib/stream/options.js';
import * as socket from './lib/socket/socket.js';

const net = {
  /** @internal */
  _createServerHandle: serverHandle.createServerHandle,
  /** @internal */
  _normalizeArgs: args.normalizeArguments,
  get BlockList(): blockList.BlockListConstructor {
    return blockList.blockListClass();
  },
  get SocketAddress(): socketAddress.SocketAddressConstructor {
    return socketAddress.socketAddressClass();
  },
  BoundSocket: boundSocket.BoundSocket,
  connect: factories.connect,
  createConnection: factories.connect,
  createServer: factories.createServer,
  /** `connect` and `listen` as promises; also `require('ferronet/promises')`. */
  promises: { connect: promises.connect, listen: promises.listen },
  isIP: address.isIP,
  isIPv4: address.isIPv4,
  isIPv6: address.isIPv6,
  Server: server.Server,
  Socket: socket.Socket,
  /** The former name of `Socket`. */
  Stream: socket.Socket,
  getDefaultAutoSelectFamily: defaults.getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily: defaults.setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout: defaults.getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout: defaults.setDefaultAutoSelectFamilyAttemptTimeout,
};

// Types, with the names that @types/node gives them.
declare namespace net {
  export type AddressInfo = socketAddresses.AddressInfo;
  export type BlockList = blockList.BlockList;
  export type BoundSocket = boundSocket.BoundSocket;
  export type BoundSocketOptions = boundSocket.BoundSocketOptions;
  export type DropArgument = events.DroppedConnection;
  export type IpcSocketConnectOpts = connectOptions.IpcConnectOptions;
  export type KeepAliveOptions = keepAlive.KeepAliveOptions;
  export type ListenOptions = listenOptions.ListenOptions;
  export type LookupFunction = connectOptions.LookupFunction;
  export type NetConnectOpts = connectOptions.ConnectOptions;
  export type OnReadOpts = fixedBuffer.OnReadOptions;
  export type PromisedListenOpts = promises.PromisedListenOptions;
  export type Server = server.Server;
  export type ServerOpts = serverOptions.ServerOptions;
  export type Socket = socket.Socket;
  export type SocketAddress = socketAddress.SocketAddress;
  export type SocketConnectOpts = connectOptions.SocketConnectOptions;
  export type SocketConstructorOpts = socketOptions.SocketConstructorOptions;
  export type SocketReadyState = socketBody.SocketReadyState;
  export type Stream = socket.Socket;
  export type TcpSocketConnectOpts = connectOptions.TcpConnectOptions;
}

export = net;
