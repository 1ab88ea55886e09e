// A pool of threads: this one accepts, the others compute. A connection moves to its worker as a whole, so the answer doesn't
// pass through this thread, and work that takes seconds does not stop the other clients.
// Try it: node examples/workers.js 8124 4, and then echo 30 | nc localhost 8124
const { isMainThread, parentPort, threadId, Worker } = require('node:worker_threads');
const net = require('ferronet');

function accept([port = 8124, size = 4]) {
  const pool = Array.from({ length: Number(size) }, start);
  let turn = 0;

  // Paused: the bytes of a client wait until its worker reads them. (What was read before a transfer goes along, too.)
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    turn = (turn + 1) % pool.length;
    // Here the socket is closed afterwards, without the peer noticing. There it's a new one, with the same connection.
    pool[turn].postMessage(socket, [socket]);
  });
  server.listen(port, () => {
    console.log(`port ${server.address().port}, ${size} workers`);
  });

  function start() {
    const worker = new Worker(__filename);
    // A worker that has failed is replaced. Its connections are closed, those of the others aren't.
    worker.on('error', (error) => {
      console.error(`a worker has failed: ${error.message}`);
      pool[pool.indexOf(worker)] = start();
    });
    return worker;
  }
}

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function work() {
  // The worker has to load ferronet, as this file does above, before a socket can arrive in it.
  parentPort.on('message', (socket) => {
    let text = '';
    socket.on('error', () => {}); // 'close' follows
    socket.setEncoding('utf8').on('data', (chunk) => {
      if (socket.writableEnded) return;
      text += chunk;
      const n = Number.parseInt(text, 10);
      if (text.length > 100 || n > 40) socket.destroy();
      else if (text.includes('\n')) socket.end(`thread ${threadId}: ${fibonacci(n)}\n`);
    });
  });
}

if (isMainThread) accept(process.argv.slice(2));
else work();
