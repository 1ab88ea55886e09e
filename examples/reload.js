// A server that is replaced while it runs: no client is refused or cut off. This process binds the port and serves no client
// itself. Its children listen with that one socket, so what waits in the backlog goes from one generation to the next.
// Try it: node examples/reload.js 8124, then kill -HUP <pid>, and meanwhile: while nc localhost 8124; do :; done
// Not on Windows, where a child can't inherit a socket by its number.
const { spawn } = require('node:child_process');
const net = require('ferronet');

const [port = 8124, role = 'supervisor', generation] = process.argv.slice(2);

/** The number under which a child has the bound socket: the one behind its IPC channel. */
const INHERITED = 4;

function supervise() {
  // Bound now, so that a port that is taken is an error here and not in each child.
  const bound = new net.BoundSocket({ port: Number(port) });
  const { port: actual } = bound.address();
  let current;
  let count = 0;

  function start() {
    count += 1;
    const number = String(count);
    const args = [__filename, String(actual), 'worker', number];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc', bound.fd()] });
    // Only a child that serves replaces the one before: if a new version does not start, the old one goes on.
    child.once('message', () => {
      console.log(`generation ${number} serves port ${actual}`);
      current?.disconnect();
      current = child;
    });
    child.once('exit', (code) => {
      console.log(`generation ${number} has ended with status ${code}`);
      // Clients wait in the backlog meanwhile.
      if (child === current) setTimeout(start, 1000);
    });
  }

  process.on('SIGHUP', start);
  start();
}

function work() {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}); // 'close' follows
    socket.end(`generation ${generation}\n`);
  });
  server.listen({ fd: INHERITED }, () => process.send('ready'));
  // Replaced, or the supervisor has ended: accepts no more, and exits when the last connection has ended.
  process.once('disconnect', () => server.close());
}

if (role === 'worker') work();
else supervise();
