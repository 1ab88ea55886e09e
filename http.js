// The door `ferronet/http`.
'use strict';

const http = require('./dist/entry/http.js');

exports.serve = http.serve;
exports.HttpAgent = http.HttpAgent;
exports.HttpsAgent = http.HttpsAgent;
exports.connectHttp2 = http.connectHttp2;
exports.connectTls = http.connectTls;
