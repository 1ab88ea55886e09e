// `ferronet/promises`: the very object that `require('ferronet').promises` is.
import net = require('../index.js');

const promises: net.Promises = net.promises;

// `import` finds the names of a CommonJS module in its text, without running it: here, and not in the object.
exports.connect = promises.connect;
exports.listen = promises.listen;

declare namespace promises {
  /** Options of `listen()`. */
  export type PromisedListenOptions = net.PromisedListenOpts;
}

export = promises;
