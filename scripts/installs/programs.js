// The programs that are run on what was installed: one connects to a server of its own and echoes, in each kind of module.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** What each of them prints when all went well. */
const SAID = 'hello by ferronet';

const echo = `
const server = net.createServer((socket) => socket.pipe(socket));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as net.AddressInfo;
  const client: net.Socket = net.connect(port, '127.0.0.1', () => client.end('hello'));
  client.setEncoding('utf8').on('data', (text) => {
    const isOurs = client.constructor !== nodeNet.Socket && client instanceof net.Socket;
    console.log(String(text) + ' by ' + (isOurs ? 'ferronet' : 'node:net'));
  });
  client.on('close', () => server.close());
});
`;

/** @param {string} text */
function withoutTypes(text) {
  return text.replaceAll(' as net.AddressInfo', '').replaceAll(': net.Socket', '');
}

const programs = {
  'app.cjs': `const net = require('ferronet');\nconst nodeNet = require('node:net');\n${withoutTypes(echo)}`,
  'app.mjs': `import net, { connect } from 'ferronet';\nimport nodeNet from 'node:net';\n${withoutTypes(echo)}if (connect !== net.connect) throw new Error('two of them');\n`,
  'app.ts': `import net = require('ferronet');\nimport nodeNet = require('node:net');\n${echo}`,
  'app.mts': `import net from 'ferronet';\nimport nodeNet from 'node:net';\n${echo}`,
  // By the register, also where a worker is made of a text.
  'registered.cjs': `
const net = require('net');
const nodeNet = { Socket: process.getBuiltinModule('net').Socket };
const { Worker } = require('worker_threads');
const code = "require('worker_threads').parentPort.postMessage(typeof require('net').BoundSocket)";
new Worker(code, { eval: true }).once('message', (type) => {
  if (type !== 'function') throw new Error('the worker has the net of Node');
  ${withoutTypes(echo)}
});`,
};

/** @typedef {keyof typeof programs} Program */

/**
 * Puts programs into a folder.
 * @param {string} folder
 * @param {readonly Program[]} names
 */
function write(folder, names) {
  for (const name of names) fs.writeFileSync(path.join(folder, name), programs[name]);
}

module.exports = { SAID, write };
