// A chat room for nc or telnet. What a member has not read yet waits in this process; a member with too much of it is dropped,
// so that one sleeping client can't fill the memory.
// Try it: node examples/chat.js 8124, and then nc localhost 8124 in two windows
const net = require('ferronet');

/** The most bytes that may wait for one member, and the longest line. */
const MOST_WAITING = 256 * 1024;
const LONGEST_LINE = 4096;

const [port = 8124] = process.argv.slice(2);
const members = new Map();
let guests = 0;

function broadcast(text, except) {
  // Encoded once, and not for each member.
  const bytes = Buffer.from(`${text}\n`);
  for (const [socket, name] of members) {
    if (socket === except) continue;
    // `write` takes everything and only says that it is a lot: the limit has to be here.
    if (socket.writableLength + bytes.length > MOST_WAITING) {
      drop(socket, `${name} reads too slowly`);
      continue;
    }
    socket.write(bytes);
  }
}

function drop(socket, reason) {
  console.log(reason);
  // What waits for the member is worthless: `destroy` frees it, `end` would keep it until it was read.
  socket.destroy();
  members.delete(socket);
}

const server = net.createServer({ noDelay: true }, (socket) => {
  guests += 1;
  const name = `guest ${guests}`;
  members.set(socket, name);
  socket.write(`you are ${name}\n`);
  broadcast(`${name} has come`, socket);

  let unfinished = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    const lines = (unfinished + text).split('\n');
    unfinished = lines.pop();
    for (const line of lines) broadcast(`${name}: ${line.trimEnd()}`, socket);
    if (unfinished.length > LONGEST_LINE) drop(socket, `${name} writes lines that are too long`);
  });
  socket.on('error', (error) => console.log(`${name}: ${error.message}`)); // 'close' follows
  socket.on('close', () => {
    members.delete(socket);
    broadcast(`${name} has gone`);
  });
});
server.listen(port, () => {
  console.log(`chatting on port ${server.address().port}`);
});
