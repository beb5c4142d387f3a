/** Why the server does not listen. Each code stands in the documentation with cause and remedy. */
export type ServeErrorCode = 'address-in-use' | 'address-not-here' | 'address-forbidden' | 'listen-failed';

/** The one error family of this module: the page cannot be offered at the address asked for. */
export class ServeError extends Error {
  override readonly name = 'ServeError';
  readonly code: ServeErrorCode;
  /** The address as asked for, `127.0.0.1:8080`. */
  readonly address: string;

  constructor(code: ServeErrorCode, message: string, options: { address: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.address = options.address;
  }
}

/** Turns what `listen(2)` said into an error that names the remedy. */
export function listenError(cause: NodeJS.ErrnoException, address: string): ServeError {
  const [code, message] = explain(cause, address);
  return new ServeError(code, message, { address, cause });
}

function explain(cause: NodeJS.ErrnoException, address: string): [ServeErrorCode, string] {
  switch (cause.code) {
    case 'EADDRINUSE':
      return [
        'address-in-use',
        `Cannot serve the page at ${address}: another program listens there. Stop it, or choose another port with --listen, e.g. --listen 127.0.0.1:8081 (port 0 takes any free one).`,
      ];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [
        'address-not-here',
        `Cannot serve the page at ${address}: this machine has no such address. Give one it has with --listen, e.g. --listen 127.0.0.1:8080.`,
      ];
    case 'EACCES':
      return [
        'address-forbidden',
        `Cannot serve the page at ${address}: the port needs more rights than this process has. Choose a port above 1023 with --listen, e.g. --listen 127.0.0.1:8080.`,
      ];
    default:
      return [
        'listen-failed',
        `Cannot serve the page at ${address}: ${cause.message}. Choose another address with --listen.`,
      ];
  }
}
