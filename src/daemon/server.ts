/** The instance's end of the control socket. Who can connect is the file system's to say: root, and one group. */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { DaemonError } from './error.ts';
import { giveToGroup, type Place } from './place.ts';
import {
  type AnswerOf,
  type Dialogue,
  MAX_REQUEST_OCTETS,
  PROTOCOL_VERSION,
  RequestSchema,
  type Words,
} from './protocol.ts';

/** Who answers. A rejection is told with its code and message; the signal says that nobody waits for the answer any more. */
export type Answerer<D extends Dialogue> = {
  readonly [Name in keyof D]: (
    words: Words<D, Name>,
    asker: { readonly signal: AbortSignal },
  ) => Promise<AnswerOf<D, Name>> | AnswerOf<D, Name>;
};

/** Answers a request by name; undefined: there is no such request. */
type Answering = (
  request: string,
  words: unknown,
  asker: { readonly signal: AbortSignal },
) => Promise<object>;

/** More askers at once than any use has. */
const MAX_CONNECTIONS = 32;
/** Whoever says nothing for so long has gone. */
const IDLE_MS = 30_000;

/** A control socket. Close it to remove it; askers that wait are cut off. */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #place: Place;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, place: Place) {
    this.#server = server;
    this.#place = place;
  }

  /**
   * Listens, with the lock of the instance held: a socket that stands there is a dead one's.
   *
   * @param gid the group whose members may ask
   * @throws DaemonError
   */
  static async open<D extends Dialogue>(
    place: Place,
    gid: number | undefined,
    { dialogue, answerer }: { readonly dialogue: D; readonly answerer: Answerer<D> },
  ): Promise<ControlServer> {
    const server = createServer();
    server.maxConnections = MAX_CONNECTIONS;
    const control = new ControlServer(server, place);
    server.on('connection', (socket) => control.#converse(socket, answering(dialogue, answerer)));
    rmSync(place.socket, { force: true });
    try {
      await listen(server, place.socket);
      if (gid !== undefined) giveToGroup(place.socket, gid, 0o660);
    } catch (cause) {
      server.close();
      throw new DaemonError(
        'DAEMON_DIRECTORY',
        `listening at ${place.socket} failed (${(cause as Error).message}); see to its directory, and with control.group to the right to give files to the group`,
        { cause },
      );
    }
    return control;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    rmSync(this.#place.socket, { force: true });
  }

  #converse(socket: Socket, answering: Answering): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    socket.on('error', () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    let text = '';
    let isBusy = false;
    socket.setEncoding('utf8');
    const answer = async (line: string): Promise<void> => {
      // Whoever waits for an answer may say nothing meanwhile.
      socket.setTimeout(0);
      const said = await answerLine(line, (request, words) => answering(request, words, gone));
      isBusy = false;
      socket.setTimeout(IDLE_MS);
      if (socket.writable) socket.write(`${JSON.stringify({ version: PROTOCOL_VERSION, ...said })}\n`);
    };
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      // One request at a time: whoever does not wait for his answer is cut off, as is whoever comes to no end.
      if (isBusy || text.length > MAX_REQUEST_OCTETS || (end >= 0 && end < text.length - 1)) {
        socket.destroy();
        return;
      }
      if (end < 0) return;
      const line = text;
      text = '';
      isBusy = true;
      void answer(line);
    });
  }
}

/** Made so that from its first moment on nobody else can connect. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

function answering<D extends Dialogue>(dialogue: D, answerer: Answerer<D>): Answering {
  return async (request, words, asker) => {
    if (!Object.hasOwn(dialogue, request))
      return refusal(
        'DAEMON_PROTOCOL',
        `there is no such request; there are ${Object.keys(dialogue).join(', ')}`,
      );
    const name: keyof D = request;
    return { answer: await answerer[name](dialogue[name]!.words.parse(words) as Words<D, keyof D>, asker) };
  };
}

async function answerLine(
  line: string,
  answering: (request: string, words: unknown) => Promise<object>,
): Promise<object> {
  try {
    const { version, request, words } = RequestSchema.parse(JSON.parse(line));
    if (version !== PROTOCOL_VERSION)
      return refusal(
        'DAEMON_PROTOCOL',
        `this instance speaks version ${PROTOCOL_VERSION}, not ${version}; use its own tunnelscope`,
      );
    return await answering(request, words);
  } catch (error) {
    if (error instanceof SyntaxError || (error as Error).name === 'ZodError')
      return refusal('DAEMON_PROTOCOL', 'this is no request');
    const { code } = error as { readonly code?: unknown };
    return refusal(typeof code === 'string' ? code : 'DAEMON_REFUSED', (error as Error).message);
  }
}

function refusal(code: string, message: string): object {
  return { error: { code, message } };
}
