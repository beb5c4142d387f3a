/** What asking the host's own TCP sockets costs: per socket and epoch, per change of state, and nothing per segment. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import {
  attachTracing,
  BpfIterator,
  BpfObject,
  type BpfProgram,
  collectRunStatistics,
  networkNamespace,
} from '../src/bpf/index.ts';
import { SOCKETS_OBJECT, Sockets } from '../src/meter/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum } from './figure.ts';

const CONNECTIONS = { quick: 500, full: 5000 } as const;
const CAPACITY = 65_536;
/** Until the decoder is compiled. */
const WARM_ROUNDS = 10;
const ROUNDS = { quick: 5, full: 20 } as const;
/** Octets of a request and of its answer: a segment each, and an acknowledgement now and then. */
const MESSAGE = Buffer.alloc(100);
const EXCHANGES = { quick: 2000, full: 20_000 } as const;

export const sockets: Benchmark = {
  name: 'sockets',
  method:
    'Connections over loopback in this namespace, both ends here. Kernel figures are by run statistics of the programs ' +
    '(run time divided by runs, statistics included); “whole read” is the time of Sockets.read() in user space, walk, copy and columns, ' +
    'best of the rounds. The floor of “per segment” is what is done: nothing. “By tcp_probe” is the same row kept in a hash by a program at ' +
    'that tracepoint while one connection sends a message to and fro.',
  async run(options) {
    const { quick, progress } = options;
    const count = quick ? CONNECTIONS.quick : CONNECTIONS.full;
    const before = readTimes(options);
    progress(`${count} connections`);
    using scene = await Scene.open(count);
    const during = readTimes(options);
    const told = during.sockets - before.sockets;
    progress('run statistics');
    return [
      await perSocket(options),
      {
        name: 'whole read, per socket',
        unit: 'ns',
        figure: (minimum(during.ms) * 1e6) / told,
        median: (median(during.ms) * 1e6) / told,
        rounds: during.ms.length,
        note: `${told} sockets at a time`,
      },
      {
        name: 'whole read without connections',
        unit: 'µs',
        figure: minimum(before.ms) * 1000,
        median: median(before.ms) * 1000,
        rounds: before.ms.length,
        note: 'the walk over the empty hash of established sockets, whose size the kernel chose by its memory',
      },
      await perState(scene),
      await perSegment(options),
    ];
  },
};

/** Times of whole reads, and how many sockets there were. */
function readTimes({ quick }: BenchmarkOptions): { readonly ms: number[]; readonly sockets: number } {
  using reader = Sockets.open(CAPACITY);
  for (let round = 0; round < WARM_ROUNDS; round++) reader.read();
  let told = 0;
  const ms = Array.from({ length: quick ? ROUNDS.quick : ROUNDS.full }, () => {
    const started = performance.now();
    told = reader.read().length;
    return performance.now() - started;
  });
  return { ms, sockets: told };
}

/** Mean run time of a program while `action` runs. */
async function runTime(program: BpfProgram, action: () => Promise<void> | void): Promise<number> {
  using _statistics = collectRunStatistics();
  const before = program.describe();
  await action();
  const after = program.describe();
  return Number(after.runTimeNs - before.runTimeNs) / Number(after.runCount - before.runCount);
}

function loaded(path: string): BpfObject {
  const object = BpfObject.openFile(path);
  object.load();
  return object;
}

async function perSocket({ quick }: BenchmarkOptions): Promise<Figure> {
  using object = loaded(SOCKETS_OBJECT);
  const program = object.program('ts_socket');
  using iterator = BpfIterator.open(program);
  const piece = new Uint8Array(32_768);
  const rounds = quick ? ROUNDS.quick : ROUNDS.full;
  const times: number[] = [];
  for (let round = 0; round < rounds; round++)
    times.push(await runTime(program, () => iterator.walk(piece, () => undefined)));
  return {
    name: 'program per socket and epoch',
    unit: 'ns',
    figure: minimum(times),
    median: median(times),
    rounds,
  };
}

/** While connections are made and closed: five changes of state or so per connection and end, one of which leaves a row. */
async function perState(scene: Scene): Promise<Figure> {
  using object = BpfObject.openFile(SOCKETS_OBJECT);
  object.setConstant('metered_namespace', Number(/\d+/.exec(networkNamespace())![0]));
  object.setMaxEntries('closed_sockets', 1 << 22);
  object.load();
  const program = object.program('ts_socket_state');
  using _attached = attachTracing(program);
  const figure = await runTime(program, () => scene.turnOver());
  return { name: 'program per change of state', unit: 'ns', figure };
}

async function perSegment({ quick }: BenchmarkOptions): Promise<Figure> {
  using workshop = new Workshop();
  using object = loaded(workshop.object('bench/tcp_probe.bpf.c'));
  const program = object.program('on_segment');
  using scene = await Scene.open(1);
  using _attached = attachTracing(program);
  const exchanges = quick ? EXCHANGES.quick : EXCHANGES.full;
  const figure = await runTime(program, () => scene.exchange(exchanges));
  return { name: 'by tcp_probe instead, per segment received', unit: 'ns', figure, floor: 0 };
}

/** Connections over loopback, both ends in this process. */
class Scene implements Disposable {
  readonly #server: Server;
  readonly #far = new Set<Socket>();
  #near: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#far.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#far.delete(socket));
      socket.setNoDelay().on('data', () => socket.write(MESSAGE));
    });
  }

  static async open(count: number): Promise<Scene> {
    const server = createServer();
    const scene = new Scene(server);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 511 });
    await once(server, 'listening');
    for (let i = 0; i < count; i++) await scene.#connect();
    return scene;
  }

  /** A thousand connections or all there are, whichever is less, are closed and made again. */
  async turnOver(): Promise<void> {
    const leaving = this.#near.splice(0, 1000);
    for (const socket of leaving) {
      const closed = once(socket, 'close');
      socket.resume().end();
      await closed;
      await this.#connect();
    }
  }

  /** Sends a message and waits for the answer, so many times. */
  async exchange(count: number): Promise<void> {
    const [socket] = this.#near;
    for (let i = 0; i < count; i++) {
      socket!.write(MESSAGE);
      await once(socket!, 'data');
    }
  }

  [Symbol.dispose](): void {
    for (const socket of [...this.#near, ...this.#far]) socket.destroy();
    this.#server.close();
  }

  async #connect(): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    this.#near.push(socket);
  }
}
