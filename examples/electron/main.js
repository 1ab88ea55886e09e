// Electron's main process with a server and a client, and a utility process with a server. Ends by itself.
const { once } = require('node:events');
const { join } = require('node:path');
const { app, utilityProcess } = require('electron');
const net = require('ferronet');

async function ask(port, question) {
  const client = net.connect(port, '127.0.0.1').setEncoding('utf8');
  client.write(question);
  const [answer] = await once(client, 'data');
  client.end();
  await once(client, 'close');
  return answer;
}

async function main() {
  await app.whenReady();
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  console.log(await ask(server.address().port, 'hello from the main process'));
  server.close();
  await once(server, 'close');

  const service = utilityProcess.fork(join(__dirname, 'service.js'));
  const [port] = await once(service, 'message');
  console.log(await ask(port, 'hello from the utility process'));
  service.kill();
  await once(service, 'exit');
  app.quit();
}

main().catch((error) => {
  console.error(error);
  app.exit(1);
});
