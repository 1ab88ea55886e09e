// A client that survives its broker: it connects again, with pauses that grow and differ from client to client, subscribes
// again, and sends again what had no answer.
// Try it: node examples/broker.js 8124, node examples/broker-client.js 8124 news; type lines, end the broker and start it again
const net = require('ferronet');
const { createInterface } = require('node:readline');

/** The longest pauses before the first and before later attempts, milliseconds; the most requests without an answer. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
const MOST_PENDING = 1000;

class BrokerClient {
  #target;
  #socket;
  #attempts = 0;
  #lastId = 0;
  /** What a new connection has to send again: requests without an answer, and subscriptions. */
  #requests = new Map();
  #listeners = new Map();

  constructor(target) {
    this.#target = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000, ...target };
    this.#connect();
  }

  /** Answered as soon as there is a broker. One that fails in between may get it twice: make requests that allow that. */
  request(message, lasts = false) {
    if (this.#requests.size >= MOST_PENDING) return Promise.reject(new Error('too many requests without an answer'));
    return new Promise((resolve) => {
      this.#lastId += 1;
      const line = `${JSON.stringify({ id: this.#lastId, ...message })}\n`;
      this.#requests.set(this.#lastId, { line, lasts, resolve });
      if (this.#socket.readyState === 'open') this.#socket.write(line);
    });
  }

  subscribe(topic, onData) {
    this.#listeners.set(topic, onData);
    return this.request({ op: 'subscribe', topic }, true);
  }

  #connect() {
    const socket = net.connect(this.#target, () => {
      this.#attempts = 0;
      console.log('connected');
      for (const { line } of this.#requests.values()) socket.write(line);
    });
    this.#socket = socket;
    let unfinished = '';
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop();
      for (const line of lines) this.#receive(JSON.parse(line));
    });
    socket.on('error', (error) => console.log(error.message)); // 'close' follows
    socket.on('close', () => {
      // Random up to the limit: a thousand clients of a broker that is back must not all come in the same moment.
      const limit = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#attempts);
      this.#attempts += 1;
      console.log('connection lost, trying again');
      setTimeout(() => this.#connect(), Math.random() * limit);
    });
  }

  #receive({ id, topic, data }) {
    if (topic !== undefined) this.#listeners.get(topic)?.(data);
    const request = this.#requests.get(id);
    if (!request?.lasts) this.#requests.delete(id);
    request?.resolve();
  }
}

const [port = 8124, topic = 'news'] = process.argv.slice(2);
const client = new BrokerClient({ port });
client.subscribe(topic, (data) => console.log(`heard ${data}`)).then(() => console.log(`subscribed to ${topic}`));
createInterface({ input: process.stdin }).on('line', async (data) => {
  await client.request({ op: 'publish', topic, data });
  console.log(`published ${data}`);
});
