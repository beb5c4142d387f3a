/** Who may ask: the checks every request passes before a route sees it. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { bareHost, isLoopback, isWildcard } from '../listen.ts';

/** Headers on every answer: no foreign script, frame, form, cache or reader. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
};

/**
 * Whether the Host header names this server, so that a foreign site whose name was rebound to this address cannot
 * read the answers. An address literal cannot be rebound: with a wildcard listener each is good.
 */
export function isHostAllowed(
  header: string | undefined,
  listen: { readonly host: string },
  allowedHosts: readonly string[],
): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^[\]:/@\s]+)(?::\d{1,5})?$/i.exec(header ?? '');
  if (!match) return false;
  const host = bareHost(match[1]!);
  if (isLoopback(host)) return true;
  if (isWildcard(listen.host) && isIP(host) !== 0) return true;
  return [listen.host, ...allowedHosts].some((allowed) => bareHost(allowed) === host);
}

/** Shortest token taken; shorter ones could be guessed over the network. */
export const TOKEN_LENGTH = 16;

/** Checks bearer tokens, and the cookie that stands for one. Neither is ever written anywhere. */
export interface TokenCheck {
  readonly cookieName: string;
  /** What the cookie holds: derived from the token, which the browser so never keeps. */
  readonly cookieValue: string;
  isToken(candidate: string | undefined): boolean;
  isCookie(candidate: string | undefined): boolean;
}

/** Makes the check for one token; the port keeps two servers of one machine from overwriting each other's cookie. */
export function tokenCheck(token: string, port: number): TokenCheck {
  if (token.length < TOKEN_LENGTH) {
    throw new RangeError(`the token has ${token.length} characters, at least ${TOKEN_LENGTH} are needed`);
  }
  const cookieValue = createHmac('sha256', token).update('tunnelscope cookie').digest('base64url');
  return {
    cookieName: `tunnelscope_${port}`,
    cookieValue,
    isToken: (candidate) => isEqual(candidate, token),
    isCookie: (candidate) => isEqual(candidate, cookieValue),
  };
}

/** Who a request is from. */
export interface Access {
  /** Absent where everybody who reaches the address may read. */
  readonly reader: TokenCheck | undefined;
  /** Whether there is a token for changing things. */
  readonly hasAdmin: boolean;
  /** What a bearer token is good for; undefined when it is none of ours. */
  roleOf(bearer: string | undefined): 'read' | 'admin' | undefined;
}

/** The tokens of a server. @throws RangeError when one is too short, or both are the same */
export function accessOf(
  tokens: { readonly read: string | undefined; readonly admin: string | undefined },
  port: number,
): Access {
  const { read, admin } = tokens;
  if (admin !== undefined && admin === read)
    throw new RangeError('the admin token is the one for reading; it must be another');
  const reader = read === undefined ? undefined : tokenCheck(read, port);
  const administrator = admin === undefined ? undefined : tokenCheck(admin, port);
  return {
    reader,
    hasAdmin: administrator !== undefined,
    roleOf(bearer) {
      if (administrator?.isToken(bearer)) return 'admin';
      return reader?.isToken(bearer) ? 'read' : undefined;
    },
  };
}

/**
 * Whether a browser asks on behalf of another site. What changes things, or has a body, is not even for other origins of the
 * same site.
 */
export function isForeign(headers: Headers, isStrict: boolean): boolean {
  const site = headers.get('sec-fetch-site');
  if (site === 'cross-site') return true;
  if (!isStrict) return false;
  const origin = headers.get('origin');
  const isOtherOrigin = origin !== null && URL.parse(origin)?.host !== headers.get('host')?.toLowerCase();
  return isOtherOrigin || site === 'same-site';
}

/** Constant-time: both sides are hashed first, so that neither content nor length shows in the time taken. */
function isEqual(candidate: string | undefined, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(candidate ?? ''), digest(wanted)) && candidate !== undefined;
}
