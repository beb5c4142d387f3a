import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { emptyTally, type Tally } from './ledger.ts';
import { markOf, type ProcessMark } from './process.ts';
import type { PingStream } from './profile.ts';

/**
 * One running ping, counted by what it prints: each answered and (option -O) each unanswered request has a line, the end
 * has the exact sum. A ping whose reader dies is ended by its next line (SIGPIPE), so it cannot be left behind.
 */
export class PingProcess {
  readonly namespace: string;
  readonly mark: ProcessMark | undefined;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #size: number;
  #sent = 0;
  #received = 0;
  #errors = 0;

  /** Starts pinging at once. */
  static open(namespace: string, stream: PingStream, source: string, destination: string): PingProcess {
    const count = stream.count === undefined ? [] : ['-c', String(stream.count)];
    const size = ['-s', String(stream.size), '-i', String(1 / stream.perSecond)];
    const child = spawn(
      'ip',
      [
        'netns',
        'exec',
        namespace,
        'ping',
        '-n',
        '-O',
        ...size,
        '-W',
        '2',
        '-I',
        source,
        ...count,
        destination,
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C' } },
    );
    return new PingProcess(namespace, child, stream.size);
  }

  private constructor(namespace: string, child: ChildProcessByStdio<null, Readable, null>, size: number) {
    this.namespace = namespace;
    this.mark = child.pid === undefined ? undefined : markOf(child.pid);
    this.#child = child;
    this.#size = size;
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    child.on('error', () => {
      this.#errors += 1;
      resolve();
    });
    child.on('close', () => resolve());
  }

  /** What it has counted so far; exact once `ended`. */
  get tally(): Tally {
    return {
      ...emptyTally(),
      sentMessages: this.#sent,
      sentOctets: this.#sent * this.#size,
      receivedMessages: this.#received,
      receivedOctets: this.#received * this.#size,
      errors: this.#errors,
    };
  }

  /** Asks it to stop and print its sum. */
  stop(): void {
    this.#child.kill('SIGINT');
  }

  #read(line: string): void {
    const sum = /^(\d+) packets transmitted, (\d+) received(?:.*?\+(\d+) errors)?/.exec(line);
    const sequence = /icmp_seq=(\d+)/.exec(line)?.[1];
    if (sum) {
      this.#sent = Number(sum[1]);
      this.#received = Number(sum[2]);
      this.#errors = Number(sum[3] ?? 0);
    } else if (sequence !== undefined) {
      // The number has 16 bits on the wire; what counts is how far it moved.
      this.#sent += (Number(sequence) - this.#sent) & 0xffff;
      if (line.includes(' bytes from ')) this.#received += 1;
    }
  }
}
