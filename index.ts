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
import * as promises from './lib/promises.js';
import * as serverHandle from './lib/server/handle.js';
import * as server from './lib/server/server.js';
import type * as serverOptions from './lib/server/options.js';
import * as simultaneousAccepts from './lib/server/simultaneous-accepts.js';
import * as socketAddress from './lib/address/socket-address.js';
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

simultaneousAccepts.addRemovedExport(net);

// The types that the signatures of the entry points name. Programs get all of them from typings/index.d.ts, which is shipped
// in place of what the compiler makes of this file.
declare namespace net {
  export type FerronetServer = server.Server;
  export type FerronetSocket = socket.Socket;
  export type NetConnectOpts = connectOptions.ConnectOptions;
  export type PromisedListenOpts = promises.PromisedListenOptions;
  export type Promises = typeof promises;
  export type BoundSocket = boundSocket.BoundSocket;
  export type Server = server.Server;
  export type ServerOpts = serverOptions.ServerOptions;
  export type Socket = socket.Socket;
}

export = net;
