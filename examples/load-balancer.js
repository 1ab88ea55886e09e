// Spreads connections over several servers in turn. One that can't be connected to is left out for a while, and its client
// gets the next one.
// Try it: node examples/load-balancer.js 8124 localhost:8001 localhost:8002
const net = require('ferronet');

/** How long a server may take to answer a connect, and how long it is left out when it has not. Milliseconds. */
const CONNECT_TIMEOUT = 1000;
const LEFT_OUT = 30_000;

const [port = 8124, ...targets] = process.argv.slice(2);
const upstreams = targets.map((name) => {
  const [, host, upstreamPort] = /^\[?(.*?)\]?:(\d+)$/.exec(name) ?? usage();
  return { name, host, port: upstreamPort, downUntil: 0 };
});
if (upstreams.length === 0) usage();
let turn = -1;

function usage() {
  console.error('Usage: node examples/load-balancer.js PORT HOST:PORT…');
  process.exit(1);
}

/** All servers, in the order in which to try them: the healthy ones in turn, then those left out, the longest down first. */
function inTurn() {
  const now = Date.now();
  const healthy = upstreams.filter(({ downUntil }) => downUntil <= now);
  const down = upstreams.filter(({ downUntil }) => downUntil > now).sort((a, b) => a.downUntil - b.downUntil);
  turn += 1;
  const first = turn % healthy.length || 0;
  return [...healthy.slice(first), ...healthy.slice(0, first), ...down];
}

/** Resolves to a socket that is connected to the first of these servers that takes it. */
async function connectToOne(candidates) {
  for (const upstream of candidates) {
    try {
      const socket = await net.promises.connect({
        host: upstream.host,
        port: upstream.port,
        allowHalfOpen: true,
        noDelay: true,
        signal: AbortSignal.timeout(CONNECT_TIMEOUT),
      });
      upstream.downUntil = 0;
      return socket;
    } catch (error) {
      console.error(`${upstream.name} is left out: ${error.code}`);
      upstream.downUntil = Date.now() + LEFT_OUT;
    }
  }
  throw new Error('no server can be reached');
}

/** A pipe passes the end on; what breaks one side has to break the other by hand. */
function forwardFailure(from, to) {
  from.on('error', () => {}); // 'close' follows
  from.on('close', (hadError) => {
    if (hadError || !from.readableEnded) to.resetAndDestroy();
  });
}

// Paused, so that what the client says meanwhile waits in the kernel, and can go to any server.
const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, async (client) => {
  client.on('error', () => {});
  try {
    const upstream = await connectToOne(inTurn());
    forwardFailure(client, upstream);
    forwardFailure(upstream, client);
    client.pipe(upstream).pipe(client);
  } catch (error) {
    console.error(error.message);
    client.resetAndDestroy();
  }
});
server.listen(port, () => {
  console.log(`port ${server.address().port} goes to ${targets.join(', ')}`);
});
