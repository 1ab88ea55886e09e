// A broker for broker-client.js: every subscriber of a topic gets what is published there. Each line
// is a message in JSON. To try the client, and no more: it trusts its clients. chat.js shows how to limit what they take.
const net = require('ferronet');

const [port = 8124] = process.argv.slice(2);
const topics = new Map();

function subscribersOf(topic) {
  if (!topics.has(topic)) topics.set(topic, new Set());
  return topics.get(topic);
}

const requests = {
  subscribe: ({ topic }, socket) => subscribersOf(topic).add(socket),
  publish({ topic, data }) {
    const line = `${JSON.stringify({ topic, data })}\n`;
    for (const subscriber of subscribersOf(topic)) subscriber.write(line);
  },
};

const server = net.createServer((socket) => {
  let unfinished = '';
  socket.setEncoding('utf8').on('data', (text) => {
    const lines = (unfinished + text).split('\n');
    unfinished = lines.pop();
    for (const line of lines) {
      const { id, op, ...rest } = JSON.parse(line);
      requests[op](rest, socket);
      socket.write(`${JSON.stringify({ id, ok: true })}\n`);
    }
  });
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => {
    for (const subscribers of topics.values()) subscribers.delete(socket);
  });
});
server.listen(port, () => {
  console.log(`broker on port ${server.address().port}`);
});
