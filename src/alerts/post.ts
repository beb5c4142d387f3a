/** One POST of JSON: bounded in time, and whatever comes back is not taken. */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { isIP } from 'node:net';

/** What became of it. */
export type PostOutcome =
  | { readonly kind: 'taken' }
  /** `again` where it may go better at another time. */
  | { readonly kind: 'failed'; readonly why: string; readonly again: boolean };

/** Statuses that are no last word (RFC 9110): too slow, too often. */
const LATER: readonly number[] = [408, 425, 429];
/** A head of an answer beyond this is none, octets. */
const HEAD_OCTETS = 16_384;

/**
 * The system's resolver takes one of a few threads for as long as it likes, and cannot be called off; files need these
 * threads too. One at a time.
 */
let resolving: Promise<unknown> | undefined;

/** Posts a body. Resolves by the deadline at the latest. @param signal calls it off */
export async function post(
  url: URL,
  body: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<PostOutcome> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const address = await addressOf(url, deadline);
    const status = await statusOf(url, body, { address, deadline });
    return judged(status);
  } catch (error) {
    const isLate = deadline.aborted && !signal.aborted;
    const why = isLate ? `nothing came back in ${timeoutMs / 1000} s` : wordsOf(error as Error);
    return { kind: 'failed', why, again: true };
  }
}

function judged({ status, location }: Answered): PostOutcome {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  if (status >= 300 && status < 400)
    return {
      kind: 'failed',
      why: `it answers ${status}${location}; redirects are not followed`,
      again: false,
    };
  return { kind: 'failed', why: `it answers ${status}`, again: status >= 500 || LATER.includes(status) };
}

/** @throws when there is none, another is still being looked for, or the time is over */
async function addressOf(url: URL, deadline: AbortSignal): Promise<string> {
  const host = bareHost(url);
  if (isIP(host) !== 0) return host;
  const late = aborted(deadline);
  while (resolving) await Promise.race([resolving.catch(() => undefined), late]);
  const looking = lookup(host).finally(() => {
    resolving = undefined;
  });
  resolving = looking;
  const { address } = await Promise.race([looking, late]);
  return address;
}

/** Without the brackets of IPv6. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

async function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) throw signal.reason;
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  return promise;
}

interface Answered {
  readonly status: number;
  /** Where a redirect leads, in words. */
  readonly location: string;
}

/** Sends, waits for the head of an answer, and hangs up. */
async function statusOf(
  url: URL,
  body: string,
  { address, deadline }: { readonly address: string; readonly deadline: AbortSignal },
): Promise<Answered> {
  const isTls = url.protocol === 'https:';
  const request = isTls ? (await import('node:https')).request : httpRequest;
  const options: RequestOptions & { readonly servername?: string } = {
    method: 'POST',
    host: address,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    headers: {
      Host: url.host,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': 'tunnelscope',
      Connection: 'close',
    },
    agent: false,
    maxHeaderSize: HEAD_OCTETS,
    signal: deadline,
    ...(isIP(bareHost(url)) === 0 && { servername: url.hostname }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const call = request(options, (response) => {
    const { statusCode = 0, headers } = response;
    resolve({ status: statusCode, location: leadsTo(headers.location, url) });
    call.destroy();
  });
  call.on('error', reject);
  call.end(body);
  return await promise;
}

/** The rest of the address may be a secret. */
function leadsTo(location: string | undefined, from: URL): string {
  if (location === undefined || !URL.canParse(location, from.href)) return '';
  return ` and leads to ${new URL(location, from.href).origin.slice(0, 120)}`;
}

function wordsOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.message : `${error.message} (${code})`;
}
