/** The asker's end of the control socket. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DaemonError } from './error.ts';
import { holderOf } from './lock.ts';
import { notPermitted, type Place } from './place.ts';
import {
  type AnswerOf,
  type Dialogue,
  EnvelopeSchema,
  MAX_ANSWER_OCTETS,
  METERING,
  PROTOCOL_VERSION,
  type Words,
} from './protocol.ts';

/** An instance refused, or could not do, what it was asked for; `reason` is the code of its error. */
export class RefusedError extends DaemonError {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super('DAEMON_REFUSED', message);
    this.reason = reason;
  }
}

/** An instance answers from memory; a reload reads a file. */
const PATIENCE_MS = 10_000;

/** How long an answer is waited for, and what else ends the waiting. */
export interface Patience {
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/** Asks a metering instance, as {@link ask}. */
export function askInstance<Name extends keyof typeof METERING>(
  place: Place,
  request: Name,
  options: Patience & { readonly words?: Words<typeof METERING, Name> } = {},
): Promise<AnswerOf<typeof METERING, Name>> {
  return ask(METERING, place, request, options);
}

/**
 * Asks an instance of the kind that has this dialogue.
 *
 * @throws DaemonError `DAEMON_NOT_RUNNING` when none is there, `DAEMON_SILENT` when it is but does not answer,
 *   `DAEMON_NOT_PERMITTED`, `DAEMON_PROTOCOL`; RefusedError with its own words; the signal's reason
 */
export async function ask<D extends Dialogue, Name extends keyof D & string>(
  dialogue: D,
  place: Place,
  request: Name,
  { patienceMs = PATIENCE_MS, signal, words }: Patience & { readonly words?: Words<D, Name> } = {},
): Promise<AnswerOf<D, Name>> {
  const socket = await reach(place);
  const late = AbortSignal.timeout(Math.ceil(patienceMs));
  const end = (): void => void socket.destroy();
  late.addEventListener('abort', end);
  signal?.addEventListener('abort', end);
  try {
    socket.write(`${JSON.stringify({ version: PROTOCOL_VERSION, request, words })}\n`);
    const line = await readLine(socket);
    signal?.throwIfAborted();
    if (line === undefined) throw silent(place, late.aborted ? `for ${patienceMs / 1000} s` : 'and hung up');
    return read(dialogue[request]!, line) as AnswerOf<D, Name>;
  } finally {
    signal?.removeEventListener('abort', end);
    socket.destroy();
  }
}

async function reach(place: Place): Promise<Socket> {
  const socket = connect(place.socket);
  try {
    await once(socket, 'connect');
    socket.on('error', () => socket.destroy());
    return socket;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') throw notPermitted(error, place.socket);
    // No socket, or a dead one: it depends on whether the process lives that has the name.
    if (holderOf(place)) throw silent(place, `(${code})`);
    throw new DaemonError('DAEMON_NOT_RUNNING', `"${place.name}" is not running`, { cause: error });
  }
}

/** @returns undefined when the connection ended before a whole line */
async function readLine(socket: Socket): Promise<string | undefined> {
  let text = '';
  socket.setEncoding('utf8');
  try {
    for await (const chunk of socket) {
      text += chunk as string;
      const end = text.indexOf('\n');
      if (end >= 0) return text.slice(0, end);
      if (text.length > MAX_ANSWER_OCTETS) return undefined;
    }
  } catch {
    // Destroyed while waiting, or reset by the other end.
  }
  return undefined;
}

function read({ answer }: Dialogue[string], line: string): unknown {
  let envelope: ReturnType<typeof EnvelopeSchema.parse>;
  try {
    envelope = EnvelopeSchema.parse(JSON.parse(line));
    if (!envelope.error) return answer.parse(envelope.answer);
  } catch (cause) {
    throw new DaemonError(
      'DAEMON_PROTOCOL',
      'the instance gave an answer that this version does not understand; use the tunnelscope that it was started with',
      { cause },
    );
  }
  throw new RefusedError(envelope.error.code, envelope.error.message);
}

function silent({ name, socket, stopCommand }: Place, how: string): DaemonError {
  return new DaemonError(
    'DAEMON_SILENT',
    `"${name}" runs but does not answer at ${socket} ${how}; it may be starting or stopping, else "${stopCommand} ${name}" ends it`,
  );
}
