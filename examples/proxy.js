// A TCP proxy: forwards each connection to another server, in both directions and with backpressure.
// Try it: node examples/proxy.js 8124 example.com:80, and then curl -H 'Host: example.com' localhost:8124
const net = require('ferronet');

const [port = 8124, target = 'localhost:80'] = process.argv.slice(2);
const [, host, upstreamPort] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? usage();

function usage() {
  console.error('Usage: node examples/proxy.js [PORT [HOST:PORT]]');
  process.exit(1);
}

// With `allowHalfOpen`, a side that has said all of its own still hears the rest of the answer.
const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = net.connect({ host, port: upstreamPort, allowHalfOpen: true, noDelay: true });

  // What flows between two sockets does not enter JavaScript: the pipes become native relays after a few chunks. They end
  // as soon as a program listens for 'data', so count with `bytesRead` instead.
  client.pipe(upstream);
  upstream.pipe(client);

  // A pipe passes the end on, but neither an error nor a close.
  forwardFailure(client, upstream, 'client');
  forwardFailure(upstream, client, 'upstream');

  let open = 2;
  const onClose = () => {
    open -= 1;
    if (open > 0) return;
    console.log(`closed: ${client.bytesRead} bytes to ${target}, ${upstream.bytesRead} bytes back`);
  };
  client.on('close', onClose);
  upstream.on('close', onClose);
});

function forwardFailure(from, to, name) {
  from.on('error', (error) => console.error(`${name}: ${error.message}`));
  from.on('close', (hadError) => {
    if (!hadError && from.readableEnded) return;
    // The other side must not take what was cut off for a whole stream: it gets a reset, and not an end.
    if (to.connecting) to.destroy();
    else to.resetAndDestroy();
  });
}

server.on('error', (error) => {
  throw error;
});
server.listen(port, () => {
  console.log(`port ${server.address().port} goes to ${target}`);
});
