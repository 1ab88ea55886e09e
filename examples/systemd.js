// A server that systemd starts when a client connects (systemd.socket(5)). Started by hand it opens a port itself. To see
// how systemd does it: systemd-socket-activate -l 8124 node examples/systemd.js
const net = require('ferronet');
const { listenFds } = require('ferronet/systemd');

const [inherited] = listenFds({ unsetEnvironment: true });

const server = net.createServer((socket) => {
  socket.end('goodbye\n');
});
server.listen(inherited ?? { port: 8124 }, () => {
  console.log(inherited ? `listening on the socket called ${inherited.name}` : 'server bound');
});
