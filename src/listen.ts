import { isIPv4, isIPv6 } from 'node:net';

/** Where to listen. */
export interface Listen {
  /** Address or name, an IPv6 address without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/**
 * Reads `127.0.0.1:8080`, `8080` (then on the loopback address) or `[::1]:8080`.
 *
 * Throws RangeError naming the value when it is none of these.
 */
export function parseListen(text: string): Listen {
  const match = /^(?:(?:\[([^[\]]+)\]|([^[\]:]+)):)?(\d{1,5})$/.exec(text.trim());
  if (!match) throw new RangeError(`listen address "${text}" is not <address>:<port>, e.g. ${EXAMPLES}`);
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port > 65535) throw new RangeError(`listen address "${text}": port ${port} is above 65535`);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) {
      throw new RangeError(`listen address "${text}": "${bracketed}" is no IPv6 address, e.g. ${EXAMPLES}`);
    }
    return { host: bracketed, port };
  }
  if (plain === undefined) return { host: '127.0.0.1', port };
  if (!isIPv4(plain) && !isHostName(plain)) {
    throw new RangeError(`listen address "${text}": "${plain}" is no address or host name, e.g. ${EXAMPLES}`);
  }
  return { host: plain, port };
}

const EXAMPLES = '127.0.0.1:8080, 8080 or [::1]:8080';

/** Whether only this machine can reach the address: 127.0.0.0/8, ::1, also mapped, and `localhost`. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1] ?? bare;
  if (isIPv4(mapped)) return mapped.startsWith('127.');
  return isIPv6(bare) && new URL(`http://[${bare}]/`).hostname === '[::1]';
}

/** Whether the address stands for all of the machine's. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (isIPv6(host) && new URL(`http://[${host}]/`).hostname === '[::]');
}

/** Lower case, without brackets and a closing dot. */
export function bareHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** The address as it stands in a URL and on the command line. */
export function formatListen({ host, port }: Listen): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A name of letters, digits, hyphens and dots; one whose last label is digits only would be a broken IPv4 address. */
function isHostName(text: string): boolean {
  return (
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text) &&
    !/(^|\.)\d+$/.test(text)
  );
}
