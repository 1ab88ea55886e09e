// The door `ferronet/systemd`.
'use strict';

const systemd = require('./dist/doors/systemd.js');

exports.listenFds = systemd.listenFds;
exports.listenFdsWithNames = systemd.listenFdsWithNames;
