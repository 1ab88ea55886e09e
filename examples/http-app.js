// A web application behind a ferronet server, which ends in order: on SIGTERM or Ctrl-C it takes no new connections,
// answers the requests that it has, and exits. http.js shows the client.
// Try it: node examples/http-app.js 8124, and then curl localhost:8124/health, or curl --data hello localhost:8124/upper
const http = require('node:http');
const { Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { serve } = require('ferronet/http');

const [port = 8124] = process.argv.slice(2);

const upperCase = () =>
  new Transform({ transform: (chunk, _, done) => done(null, chunk.toString('latin1').toUpperCase()) });

const routes = {
  'GET /health': (_, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ status: 'ok', uptime: Math.round(process.uptime()) }));
  },
  // Streamed, with backpressure: a body of any length passes through.
  'POST /upper': (request, response) => pipeline(request, upperCase(), response),
};

// Requests, their headers and their time limits are all Node's. Only the connections come from ferronet.
const app = http.createServer({ requestTimeout: 30_000, keepAliveTimeout: 5_000 }, async (request, response) => {
  const [pathname] = request.url.split('?');
  const route = routes[`${request.method} ${pathname}`];
  if (route === undefined) {
    response.writeHead(404).end('not found\n');
    return;
  }
  try {
    await route(request, response);
  } catch (error) {
    // The client has gone, or the route has failed.
    console.error(`${request.method} ${pathname}: ${error.message}`);
    response.destroy();
  }
});

// `listen`, `address` and `close` are those of the server that `serve` returns. `maxConnections` is, too.
const server = serve(app, { noDelay: true });
server.maxConnections = 10_000;
server.on('error', (error) => {
  throw error;
});
server.listen(port, () => {
  console.log(`serving http://localhost:${server.address().port}`);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    console.log('closing');
    // Closes the connections that wait for a next request, and calls back when all others have ended.
    server.close(() => console.log('closed'));
  });
}
