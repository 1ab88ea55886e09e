// The door `ferronet/promises`: the very object that `require('ferronet').promises` is.
'use strict';

const { promises } = require('./dist/index.js');

// For `import`, which looks for names in this text and not in what it does.
exports.connect = promises.connect;
exports.listen = promises.listen;

module.exports = promises;
