/** What addresses and segments are called, by all who may know. */
import {
  type FoundNames,
  MAX_FOUND_NAMES,
  type Name,
  type NameSource,
  type NamesAnswer,
  type NamesQuestion,
} from '../query/index.ts';
import { type KeyedAddress, keyedAddress } from './address-key.ts';
import { FollowedFile } from './followed-file.ts';
import { parseHosts } from './hosts.ts';
import { Labels } from './labels.ts';
import { ReverseNames, type ReverseOptions } from './reverse.ts';

/** Where names are looked for. */
export interface NameSettings {
  /** The hosts file; undefined for none. It need not be there, nor be of use. */
  readonly hosts: string | undefined;
  /** The user's labels; undefined for none. */
  readonly labels: string | undefined;
  /** Whether DNS is asked, for addresses that somebody asks for. */
  readonly dns: boolean;
}

/** How DNS is asked; the defaults do but in tests. */
export type ReverseSetup = Pick<ReverseOptions, 'limits' | 'servers'>;

/** Who is told how it goes. */
export interface NamesListener {
  /** A file could not be read again, or no DNS server answers; names that are known stay. */
  problem(error: Error): void;
  /** A DNS server answers again. */
  recovered(): void;
}

/** The sources as they are set up. */
interface Sources {
  readonly hosts: FollowedFile<ReadonlyMap<string, string>> | undefined;
  readonly labels: FollowedFile<Labels> | undefined;
  readonly dns: ReverseNames | undefined;
}

/** What they say now. */
interface Contents {
  readonly labels: Labels;
  readonly hosts: ReadonlyMap<string, string>;
  readonly dns: ReverseNames | undefined;
}

const NO_LABELS = new Labels();
const NO_HOSTS: ReadonlyMap<string, string> = new Map();

/** Names from labels, the hosts file and DNS: the first of them that knows an address names it. */
export class Names implements NameSource, Disposable {
  readonly #listener: NamesListener;
  readonly #reverse: ReverseSetup;
  #sources: Sources;

  private constructor(sources: Sources, listener: NamesListener, reverse: ReverseSetup) {
    this.#sources = sources;
    this.#listener = listener;
    this.#reverse = reverse;
  }

  /** Reads the files. @throws NamesError when one that was named cannot be used */
  static async open(
    settings: NameSettings,
    listener: NamesListener,
    reverse: ReverseSetup = {},
  ): Promise<Names> {
    return new Names(await openSources(settings, listener, reverse), listener, reverse);
  }

  /** Looks elsewhere from now on. @throws NamesError when a file cannot be used; then all stays */
  async change(settings: NameSettings): Promise<void> {
    const next = await openSources(settings, this.#listener, this.#reverse);
    this.#sources.dns?.[Symbol.dispose]();
    this.#sources = next;
  }

  async names({ addresses, segments }: NamesQuestion): Promise<NamesAnswer> {
    const { dns, labels, hosts } = await this.#read();
    const answer = {
      addresses: {} as Record<string, Name>,
      segments: {} as Record<string, Name>,
      pending: [] as string[],
    };
    const written = (keyed: KeyedAddress): Name | undefined => {
      const name = hosts.get(keyed.key);
      return labels.ofAddress(keyed) ?? (name === undefined ? undefined : { name, from: 'hosts' });
    };
    for (const text of new Set(addresses)) {
      const keyed = keyedAddress(text);
      const name = keyed && written(keyed);
      if (name) answer.addresses[text] = name;
      if (name || !keyed?.octets || !dns) continue;
      const found = dns.ask(keyed.key, keyed.octets);
      if (found.name !== undefined) answer.addresses[text] = { name: found.name, from: 'dns' };
      if (found.isPending) answer.pending.push(text);
    }
    for (const id of segments) {
      const name = labels.ofSegment(id);
      if (name) answer.segments[id] = name;
    }
    return answer;
  }

  async find(text: string): Promise<FoundNames> {
    const found: FoundNames = { addresses: {}, networks: {}, segments: {}, isCut: false };
    let count = 0;
    for (const [kind, key, name] of namedLike(text.toLowerCase(), await this.#read())) {
      if (count++ === MAX_FOUND_NAMES) return { ...found, isCut: true };
      found[kind][key] = name;
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.#sources.dns?.[Symbol.dispose]();
  }

  async #read(): Promise<Contents> {
    const { dns, ...files } = this.#sources;
    return {
      dns,
      labels: (await files.labels?.content()) ?? NO_LABELS,
      hosts: (await files.hosts?.content()) ?? NO_HOSTS,
    };
  }
}

/** Whatever has a name with these small letters in it. Of those who know an address the first names it: nobody sees what others call it. */
function* namedLike(
  letters: string,
  { labels, hosts, dns }: Contents,
): Generator<readonly [kind: 'addresses' | 'networks' | 'segments', key: string, name: Name]> {
  const isMeant = (name: string): boolean => name.toLowerCase().includes(letters);
  const isLabelled = (key: string): boolean => labels.ofAddress(keyedAddress(key)!) !== undefined;
  for (const named of labels.all()) if (isMeant(named[2].name)) yield named;
  for (const [key, name] of hosts)
    if (isMeant(name) && !isLabelled(key)) yield ['addresses', key, { name, from: 'hosts' }];
  for (const [key, name] of dns?.known() ?? [])
    if (isMeant(name) && !hosts.has(key) && !isLabelled(key)) yield ['addresses', key, { name, from: 'dns' }];
}

async function openSources(
  { hosts, labels, dns }: NameSettings,
  listener: NamesListener,
  reverse: ReverseSetup,
): Promise<Sources> {
  const problem = (error: Error): void => listener.problem(error);
  return {
    hosts:
      hosts === undefined
        ? undefined
        : await FollowedFile.open(hosts, { parse: parseHosts, absent: NO_HOSTS, problem }),
    labels:
      labels === undefined
        ? undefined
        : await FollowedFile.open(labels, { parse: (text, path) => new Labels(text, path), problem }),
    dns: dns ? new ReverseNames({ ...reverse, problem, recovered: () => listener.recovered() }) : undefined,
  };
}
