// An HTTP server behind ferronet's server, and a client with keep-alive on ferronet's sockets.
const http = require('node:http');
const { HttpAgent, serve } = require('ferronet/http');

const app = http.createServer((request, response) => {
  response.end(`you asked for ${request.url}\n`);
});

const server = serve(app).listen(8124, async () => {
  console.log('server bound');
  const agent = new HttpAgent({ keepAlive: true });
  await get({ port: 8124, path: '/one', agent });
  await get({ port: 8124, path: '/two', agent });
  agent.destroy();
  server.close(() => console.log('server closed'));
});

function get(options) {
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      response.on('end', resolve).pipe(process.stdout, { end: false });
    });
    request.on('error', reject);
  });
}
