// A worker of a cluster that serves HTTP, by `ferronet/http` if its first argument says so, and answers what it sees of a
// connection.
import http from 'node:http';
import net, { type Server } from 'node:net';

import type * as helpers from 'ferronet/http';

const served = http.createServer(({ socket }, response) => {
  response.end(socket instanceof net.Socket ? socket.remoteAddress : 'another stream');
});
const isOurs = process.argv[2] === 'ferronet';
const server = isOurs ? (require('ferronet/http') as typeof helpers).serve(served) : served;
(server as Server).listen(0, '127.0.0.1');
