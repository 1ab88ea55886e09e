// Hangs up on a client that is silent for three seconds.
const net = require('ferronet');

const server = net.createServer((socket) => {
  socket.setTimeout(3000);
  socket.on('timeout', () => {
    console.log('socket timeout');
    socket.end();
  });
  socket.on('data', (data) => {
    console.log(`heard ${data.toString().trim()}`);
  });
});
server.listen(8124, () => {
  console.log('server bound');
});
