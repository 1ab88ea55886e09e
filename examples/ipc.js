// Calls between processes of one user, over a Unix socket or, on Windows, a named pipe. A message is its length in four
// bytes and JSON.
// Try it: node examples/ipc.js serve, and then node examples/ipc.js call add 1 2
const net = require('ferronet');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const path =
  process.env.IPC_PATH ?? (process.platform === 'win32' ? '\\\\.\\pipe\\ferronet-ipc' : join(tmpdir(), 'ferronet.ipc'));

/** Whatever a peer announces, no more than this is kept for it. Bytes. */
const LONGEST = 1024 * 1024;

/** Resolves when the kernel has it: one that awaits this keeps no more than one answer for a peer that does not read. */
function send(socket, message) {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, 4);
  return new Promise((resolve, reject) => {
    socket.write(frame, (error) => (error ? reject(error) : resolve()));
  });
}

/** The messages of a socket. A stream has no messages: one may come in pieces, or many at once. */
async function* messages(socket) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    while (bytes.length >= 4) {
      const end = 4 + bytes.readUInt32BE(0);
      if (end > LONGEST) throw new Error('a message is too long');
      if (bytes.length < end) break;
      yield JSON.parse(bytes.toString('utf8', 4, end));
      bytes = bytes.subarray(end);
    }
  }
  if (bytes.length > 0) throw new Error('the connection has ended within a message');
}

const methods = {
  add: (...numbers) => numbers.reduce((sum, each) => sum + Number(each), 0),
  upper: (text) => text.toUpperCase(),
};

async function serve(socket) {
  try {
    for await (const { id, method, args } of messages(socket)) {
      const known = Object.hasOwn(methods, method);
      const answer = known ? { result: methods[method](...args) } : { error: `no method is called ${method}` };
      await send(socket, { id, ...answer });
    }
    socket.end();
  } catch (error) {
    console.error(error.message);
    socket.destroy();
  }
}

function fail(error) {
  console.error(error.message);
  process.exitCode = 1;
}

const [mode, method, ...args] = process.argv.slice(2);
if (mode === 'serve') {
  const server = net.createServer({ allowHalfOpen: true }, serve);
  // No other user can connect, at any moment: without it that depends on the umask.
  server.on('error', fail);
  server.listen({ path, ownerOnly: true }, () => console.log(`serving ${path}`));
  // Removes the file. After a kill -9 it is still there, and has to be removed by hand. Calls under way get their answers; a
  // second signal does not wait for them.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
} else if (mode === 'call' && method !== undefined) {
  call().catch(fail);
} else {
  console.error('Usage: node examples/ipc.js serve | call METHOD [ARGUMENT…]');
  process.exitCode = 1;
}

async function call() {
  const socket = await net.promises.connect(path);
  await send(socket, { id: 1, method, args });
  for await (const { result, error } of messages(socket)) {
    console.log(error ?? result);
    socket.end();
  }
}
