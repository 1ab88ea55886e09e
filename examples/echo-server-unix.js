// echo-server.js on a Unix socket. Try it: node examples/echo-server-unix.js, and then nc -U /tmp/echo.sock
const net = require('ferronet');

const server = net.createServer((c) => {
  // 'connection' listener
  console.log('client connected');
  c.on('end', () => {
    console.log('client disconnected');
  });
  c.write('hello\r\n');
  c.pipe(c);
});
server.on('error', (err) => {
  throw err;
});
server.listen('/tmp/echo.sock', () => {
  console.log('server bound');
});

// Removes the file, which the next server could not bind to. Clients that are connected keep this process until they end, or
// until a second signal.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
