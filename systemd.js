// The door `ferronet/systemd`.
'use strict';

const systemd = require('./dist/entry/systemd.js');

exports.listenFds = systemd.listenFds;
exports.listenFdsWithNames = systemd.listenFdsWithNames;
