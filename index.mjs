// The entry point for `import`: the very same classes and functions that `require('ferronet')` gives.
import net from './dist/index.js';

export default net;
export const {
  _createServerHandle,
  _normalizeArgs,
  // Not in Node 24 and newer: undefined there, as the names of a module are fixed.
  _setSimultaneousAccepts,
  BlockList,
  SocketAddress,
  BoundSocket,
  connect,
  createConnection,
  createServer,
  promises,
  isIP,
  isIPv4,
  isIPv6,
  Server,
  Socket,
  Stream,
  getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = net;
