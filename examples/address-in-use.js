// Tries again every second while another program has the port.
const net = require('ferronet');

const PORT = 8124;
const HOST = '127.0.0.1';

const server = net.createServer((socket) => {
  socket.end('goodbye\n');
});
server.on('error', (e) => {
  if (e.code === 'EADDRINUSE') {
    console.log('Address in use, retrying...');
    setTimeout(() => {
      server.close();
      server.listen(PORT, HOST);
    }, 1000);
  }
});
server.on('listening', () => {
  console.log('server bound');
});
server.listen(PORT, HOST);
