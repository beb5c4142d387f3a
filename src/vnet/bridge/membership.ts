/** Which tunnel ends each segment of a mesh has: of the configuration, of a file, and what was asked for while it runs. */
import { readFileSync, statSync } from 'node:fs';
import { VnetError } from '../error.ts';
import { parseTunnelEnd } from './address.ts';
import type { BridgeConfiguration, TunnelEnd } from './configuration.ts';

/** A tunnel end of one segment, or of all. */
export interface Member {
  readonly end: TunnelEnd;
  readonly vni: number | undefined;
}

/** A peer of one segment. */
export interface WantedPeer {
  readonly end: TunnelEnd;
  /** Asked for while it runs: the next process keeps it. */
  readonly isRequested: boolean;
}

/** What stands in a file of peers. @throws VnetError `VNET_PEERS` with the line */
export function readPeersFile(path: string): Member[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new VnetError('VNET_PEERS', `peersFile: ${(cause as Error).message}`, { cause });
  }
  return text.split('\n').flatMap((line, i) => {
    const [address, vni, more] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === undefined || address === '') return [];
    const end = parseTunnelEnd(address);
    const place = `${path}:${i + 1}`;
    if (end === undefined || end.isGroup)
      throw new VnetError(
        'VNET_PEERS',
        `${place}: "${address}" is not the address of a tunnel end such as 172.16.1.101`,
      );
    if (more !== undefined || (vni !== undefined && !/^\d{1,8}$/.test(vni)))
      throw new VnetError(
        'VNET_PEERS',
        `${place}: "${line.trim()}" is not an address, or an address and a VNI`,
      );
    return [{ end, vni: vni === undefined ? undefined : Number(vni) }];
  });
}

/** The members of a mesh as they are to be. */
export class Membership {
  #configuration: BridgeConfiguration;
  #ofFile: readonly Member[] = [];
  #stamp = '';
  /** By VNI and address: `true` asked for, `false` sent away. */
  readonly #requested = new Map<
    string,
    { readonly end: TunnelEnd; readonly vni: number; readonly isIn: boolean }
  >();

  /** @throws VnetError `VNET_PEERS` */
  constructor(configuration: BridgeConfiguration) {
    this.#configuration = configuration;
    this.readAgain();
  }

  configure(configuration: BridgeConfiguration): void {
    this.#configuration = configuration;
    this.#stamp = '';
    this.readAgain();
  }

  /** Reads the file when it is another one than before. @returns whether it was @throws VnetError `VNET_PEERS` */
  readAgain(): boolean {
    const path = this.#configuration.peersFile;
    if (path === undefined) {
      this.#ofFile = [];
      return false;
    }
    const stamp = stampOf(path);
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    this.#ofFile = readPeersFile(path);
    return true;
  }

  /** What a former process was asked for. */
  keep(vni: number, end: TunnelEnd): void {
    this.#requested.set(keyOf(vni, end), { end, vni, isIn: true });
  }

  /** Asks for a tunnel end, or sends it away. @param vnis of which segments @returns those in which that is a change */
  request(end: TunnelEnd, isIn: boolean, vnis: readonly number[]): number[] {
    return vnis.filter((vni) => {
      const isNow = this.peersOf(vni).some((each) => each.end.text === end.text);
      if (isNow === isIn) return false;
      this.#requested.set(keyOf(vni, end), { end, vni, isIn });
      return true;
    });
  }

  /** The peers of a segment; this host is none of them, whoever lists it. */
  peersOf(vni: number): WantedPeer[] {
    const segment = this.#configuration.segments.find((each) => each.vni === vni);
    if (segment === undefined || this.#configuration.mode !== 'mesh') return [];
    const ends = new Map<string, WantedPeer>();
    const ofFile = this.#ofFile.filter((each) => each.vni === undefined || each.vni === vni);
    for (const end of [...(segment.peers ?? this.#configuration.peers), ...ofFile.map((each) => each.end)])
      ends.set(end.text, { end, isRequested: false });
    for (const request of this.#requested.values())
      if (request.vni !== vni) continue;
      else if (request.isIn) ends.set(request.end.text, { end: request.end, isRequested: true });
      else ends.delete(request.end.text);
    return [...ends.values()];
  }
}

function keyOf(vni: number, end: TunnelEnd): string {
  return `${vni} ${end.text}`;
}

/** Something that is another when the file is; a file that has gone is another one too. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return 'gone';
  }
}
