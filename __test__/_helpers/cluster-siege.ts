// A program: the primary of a cluster, and its clients, while its workers are killed at random.
// Arguments: the module of the workers, the policy, seconds, and a module that the primary loads. Prints a `Siege`.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

import { descriptors } from './descriptors.js';

export interface Siege {
  served: number;
  /** Ended by the death of a worker, or refused. */
  lost: number;
  /** Neither served nor ended. */
  hung: number;
  killed: number;
  /** Whether it is served after all. */
  servesOn: boolean;
  /** Descriptors of this process: when it served the first time, and when all was over. */
  before: number;
  after: number;
}

const [net = '', policy, seconds, loaded] = process.argv.slice(2);
if (loaded !== undefined) require(loaded);
const WORKERS = 3;
const CLIENTS = 16;
// Much more than a worker needs to start, on a machine that is busy.
const PATIENCE = 5000;

const siege: Siege = { served: 0, lost: 0, hung: 0, killed: 0, servesOn: false, before: 0, after: 0 };
let isOver = false;

const pause = (msecs: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, msecs));

// All ask for port 0, which makes them share one.
async function start(): Promise<number> {
  const worker = cluster.fork({ NET: net });
  worker.on('message', () => {});
  worker.process.on('error', () => {});
  await once(worker, 'online');
  worker.send({ do: 'listen', options: { port: 0, host: '127.0.0.1' } });
  const [address] = (await once(worker, 'listening')) as [{ port: number }];
  return address.port;
}

/** Asks once. */
async function ask(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let got = '';
  const timer = setTimeout(() => {
    siege.hung += 1;
    socket.destroy();
  }, PATIENCE);
  socket.on('error', () => {});
  socket.on('data', (text) => {
    got += text;
    if (got.endsWith('question')) socket.end();
  });
  socket.write('question');
  await new Promise((resolve) => void socket.once('close', resolve));
  clearTimeout(timer);
  if (got.endsWith('question')) siege.served += 1;
  else siege.lost += 1;
}

async function keepAsking(port: number): Promise<void> {
  while (!isOver) {
    await ask(port);
    await pause(1);
  }
}

async function keepKilling(): Promise<void> {
  while (!isOver) {
    await pause(20 + Math.random() * 60);
    const workers = Object.values(cluster.workers ?? {});
    const victim = workers[Math.floor(Math.random() * workers.length)];
    if (victim?.process.kill('SIGKILL') !== true) continue;
    siege.killed += 1;
    await once(victim, 'exit');
    await start();
  }
}

async function main(): Promise<void> {
  cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: join(__dirname, 'cluster-worker.js'), execArgv: [] });
  const port = await start();
  for (let i = 1; i < WORKERS; i++) await start();
  await ask(port);
  siege.before = descriptors();
  setTimeout(() => (isOver = true), Number(seconds) * 1000);
  await Promise.all([keepKilling(), ...Array.from({ length: CLIENTS }, () => keepAsking(port))]);
  const { served } = siege;
  await ask(port);
  siege.servesOn = siege.served > served;
  for (let tries = 0; tries < 100 && (siege.after = descriptors()) > siege.before; tries++) await pause(20);
  console.log(JSON.stringify(siege));
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
}

void main();
