import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  readonly dir: string;
  /** In order: it writes down its sessions. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

interface Options {
  /** Lines of its configuration that stand before the listener. */
  readonly general?: readonly string[];
  /** Lines that belong to the listener. */
  readonly listener?: readonly string[];
}

/** A Mosquitto of its own on a free port, with sessions that outlive it. Without options its limits are its defaults. */
export async function openMosquitto({ general = [], listener = [] }: Options = {}): Promise<Mosquitto> {
  const dir = await mkdtemp(join(tmpdir(), 'wattwarden-mosquitto-'));
  const port = await freePort();
  const file = join(dir, 'mosquitto.conf');
  const root = process.getuid?.() === 0 ? ['user root'] : [];
  const kept = ['persistence true', `persistence_location ${dir}/`, 'allow_anonymous true', 'log_dest stderr'];
  await writeFile(file, [...root, ...kept, ...general, `listener ${port} 127.0.0.1`, ...listener, ''].join('\n'));
  let child: ChildProcess | undefined;
  let output = '';

  async function stop(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    await ended;
  }

  async function start(): Promise<void> {
    const started = spawn('mosquitto', ['-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
    });
    child = started;
    started.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
    });
    await until('mosquitto listens', async () => {
      if (started.exitCode !== null) throw new Error(`mosquitto ended: ${output}`);
      return await answers(port);
    });
  }

  await start();
  return {
    port,
    dir,
    url: `mqtt://127.0.0.1:${port}`,
    stop,
    start,
    async close() {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const say = (does: boolean) => () => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', say(true)).once('error', say(false));
  });
}
