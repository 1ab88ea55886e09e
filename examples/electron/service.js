// A process of its own, which Electron calls a utility process: a server there does not care how busy the windows are.
const net = require('ferronet');

const server = net
  .createServer((socket) => socket.pipe(socket))
  .listen(0, '127.0.0.1', () => {
    process.parentPort.postMessage(server.address().port);
  });
