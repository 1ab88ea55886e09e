// An HTTP/2 server behind a ferronet server, and a session over a ferronet socket. createSecureServer and https:// work as well.
const http2 = require('node:http2');
const { connectHttp2, serve } = require('ferronet/http');

const app = http2.createServer();
app.on('stream', (stream, headers) => {
  stream.respond({ ':status': 200 });
  stream.end(`you asked for ${headers[':path']}\n`);
});

const server = serve(app).listen(8124, '127.0.0.1', () => {
  console.log('server bound');
  const session = connectHttp2('http://127.0.0.1:8124');
  const stream = session.request({ ':path': '/one' });
  stream.pipe(process.stdout, { end: false });
  stream.on('end', () => session.close());
  session.on('close', () => server.close(() => console.log('server closed')));
});
