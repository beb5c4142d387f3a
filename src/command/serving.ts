/** `--listen` and who may read: loopback needs nothing, everything else a token or an explicit `--no-auth`. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import {
  ConfigError,
  DEFAULT,
  parseAddressAndPort,
  parseHostName,
  type ServeConfig,
} from '../config/index.ts';
import { isLoopback, type Listen } from '../listen.ts';
import type { Auth } from '../serve/index.ts';

/** The words of the serving options as commander hands them over. */
export interface ServeWords {
  readonly listen: string;
  readonly tokenFile?: string;
  readonly adminTokenFile?: string;
  readonly auth: boolean;
  readonly allowHost?: string[];
}

/** What they come to. `generatedToken` is to be shown once. */
export interface Serving {
  readonly listen: Listen;
  readonly auth: Auth;
  readonly adminToken: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly pageDirectory: string;
  readonly generatedToken: string | undefined;
}

const PAGE_DIRECTORY = fileURLToPath(new URL('../../web/dist', import.meta.url));
const TOKEN_OCTETS = 24;
const SHORTEST_TOKEN = 16;

/** Adds the options of everything that serves the page. */
export function addServeOptions(command: Command): Command {
  return command
    .option('-l, --listen <address>', 'where to serve the page and the API', DEFAULT.listen)
    .option('--token-file <file>', 'file with the access token (default: generated when not on loopback)')
    .option('--no-auth', 'serve a non-loopback address without a token')
    .option(
      '--allow-host <name>',
      'a further name the page may be asked for by (behind a proxy); several by repeating',
      (word: string, before: string[] = []) => [...before, word],
    );
}

/** @throws ConfigError naming the option and the value. */
export function serveConfigOf(words: ServeWords): ServeConfig {
  return {
    listen: parseAddressAndPort('--listen', words.listen),
    tokenFile: words.tokenFile,
    adminTokenFile: words.adminTokenFile,
    auth: words.auth,
    allowHosts: (words.allowHost ?? []).map((name) => parseHostName('--allow-host', name)),
  };
}

/** @throws ConfigError naming a token's file, when that has none, or both have the same */
export function servingOf({ listen, tokenFile, adminTokenFile, auth, allowHosts }: ServeConfig): Serving {
  const adminToken =
    adminTokenFile === undefined ? undefined : readToken(adminTokenFile, '--admin-token-file');
  const place = { listen, adminToken, allowedHosts: allowHosts, pageDirectory: PAGE_DIRECTORY };
  if (tokenFile !== undefined) {
    const token = readToken(tokenFile);
    if (token === adminToken)
      throw new ConfigError(
        '--admin-token-file',
        adminTokenFile!,
        'a file with another token than --token-file',
      );
    return { ...place, auth: { kind: 'token', token }, generatedToken: undefined };
  }
  if (isLoopback(listen.host) || !auth)
    return { ...place, auth: { kind: 'none' }, generatedToken: undefined };
  const token = randomBytes(TOKEN_OCTETS).toString('base64url');
  return { ...place, auth: { kind: 'token', token }, generatedToken: token };
}

/** Reads the token out of a file. @throws ConfigError naming the file and what is wrong with it */
export function readToken(path: string, option = '--token-file'): string {
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(option, path, `a readable file (${(error as Error).message})`);
  }
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < SHORTEST_TOKEN) {
    throw new ConfigError(
      option,
      path,
      `a file with one token of at least ${SHORTEST_TOKEN} printable characters`,
    );
  }
  return token;
}
