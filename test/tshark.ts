/** tshark, the second opinion: how it is asked, and its answer as fields or as layers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LINK_TYPE, type Packet, writePcap } from '../src/wire/index.ts';

/** Values of fields by name, from the outside in. */
export type Fields = Readonly<Record<string, readonly string[]>>;

/** A header as tshark shows it: its protocol's name, and the values of its fields by name. */
export interface Layer {
  readonly name: string;
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** No reassembly of any kind, and what it cannot know by itself: ports, and what L2TPv3 carries. */
const OPTIONS: readonly string[] = [
  '-n',
  ...['ip', 'ipv6'].flatMap((name) => ['-o', `${name}.defragment:FALSE`]),
  ...['udp.port==8472,vxlan', 'udp.port==51820,wg', 'l2tp.pw_type==0,eth'].flatMap((each) => ['-d', each]),
];

/** Which tshark it is, e.g. `4.0.17`; `undefined` where there is none. */
export function tsharkVersion(): string | undefined {
  try {
    const text = execFileSync('tshark', ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /^TShark \(Wireshark\) (\S+)/.exec(text)?.[1]?.replace(/\.$/, '');
  } catch {
    return undefined;
  }
}

export function hasTshark(): boolean {
  return tsharkVersion() !== undefined;
}

/** Packets as tshark reads these fields of them, each with the preferences it needs and with `preferences`. */
export function decodeFields(
  packets: readonly Packet[],
  names: readonly string[],
  preferences: readonly string[],
): Fields[] {
  return byForm(packets, (path, form) => {
    const wanted = ['-T', 'fields', '-E', 'aggregator=;', ...names.flatMap((name) => ['-e', name])];
    const text = run(path, [...preferences, ...form], wanted);
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) =>
        Object.fromEntries(
          line.split('\t').map((value, i) => [names[i]!, value === '' ? [] : value.split(';')]),
        ),
      );
  });
}

/** Packets as tshark dissects them, each with the preferences it needs. */
export function dissect(packets: readonly Packet[]): (readonly Layer[])[] {
  return byForm(packets, (path, form) => packetsOf(run(path, form, ['-T', 'pdml'])));
}

/** The packets of a capture file as tshark dissects them; `packets` are what it was made of. */
export function dissectFile(path: string, packets: readonly Packet[]): (readonly Layer[])[] {
  const layers: (readonly Layer[])[] = [];
  for (const form of new Set(packets.map(l2tpv3Form))) {
    const found = packetsOf(run(path, form === '' ? [] : form.split(';'), ['-T', 'pdml']));
    if (found.length !== packets.length)
      throw new Error(`tshark says ${found.length} packets of ${packets.length} in ${path}`);
    for (const [i, packet] of packets.entries()) if (l2tpv3Form(packet) === form) layers[i] = found[i]!;
  }
  return layers;
}

/** Asks for packets that need the same preferences together. @returns the answers in the packets' order */
function byForm<Answer>(
  packets: readonly Packet[],
  ask: (path: string, preferences: readonly string[]) => readonly Answer[],
): Answer[] {
  const directory = mkdtempSync(join(tmpdir(), 'tshark-'));
  try {
    const path = join(directory, 'frames.pcap');
    const answers: Answer[] = [];
    const formOf = (packet: Packet): string => `${isBare(packet) ? 'bare' : ''};${l2tpv3Form(packet)}`;
    for (const form of new Set(packets.map(formOf))) {
      const chosen = [...packets.keys()].filter((i) => formOf(packets[i]!) === form);
      const [bare, ...preferences] = form.split(';').filter((each, i) => i === 0 || each !== '');
      const frames = chosen.map((i) => packets[i]!.build());
      writeFileSync(path, writePcap(frames, { linkType: bare ? LINK_TYPE.raw : LINK_TYPE.ethernet }));
      const found = ask(path, preferences);
      if (found.length !== frames.length)
        throw new Error(`tshark says ${found.length} packets of ${frames.length}`);
      for (const [i, number] of chosen.entries()) answers[number] = found[i]!;
    }
    return answers;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run(path: string, preferences: readonly string[], wanted: readonly string[]): string {
  const words = ['-r', path, ...OPTIONS, ...preferences.flatMap((each) => ['-o', each]), ...wanted];
  return execFileSync('tshark', words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  });
}

/** The outermost protocols of each packet of a PDML document, with all fields inside them. */
function packetsOf(document: string): Layer[][] {
  const packets: Layer[][] = [];
  let fields = new Map<string, string[]>();
  let depth = 0;
  for (const [, close, tag, words] of document.matchAll(/<(\/?)(packet|proto|field)\b([^>]*)>/g)) {
    const attribute = (name: string): string | undefined =>
      new RegExp(` ${name}="([^"]*)"`).exec(words!)?.[1];
    if (tag === 'packet') {
      if (close === '') packets.push([]);
    } else if (tag === 'proto') {
      if (close === '' && depth++ === 0) {
        fields = new Map();
        packets.at(-1)!.push({ name: attribute('name')!, fields });
      }
      // `<proto … />` is over where it began.
      if (close !== '' || words!.endsWith('/')) depth--;
    } else if (close === '') {
      const name = attribute('name');
      const value = attribute('show');
      if (name && value !== undefined) fields.set(name, [...(fields.get(name) ?? []), value]);
    }
  }
  return packets;
}

/** How tshark calls the lengths of a cookie. */
const COOKIES: Readonly<Record<number, string>> = { 0: 'None', 4: '4 Byte Cookie', 8: '8 Byte Cookie' };

/** Whether the packet begins with IP. */
function isBare({ layers }: Packet): boolean {
  return layers[0]?.kind !== 'eth';
}

/** What tshark must be told of L2TPv3, whose headers do not say how long cookie and sublayer are. */
function l2tpv3Form({ layers }: Packet): string {
  const layer = layers.find(({ kind }) => kind === 'l2tpv3');
  if (layer?.kind !== 'l2tpv3') return '';
  const sublayer = layer.sublayer ? 'Default L2-Specific' : 'None';
  return `l2tp.cookie_size:${COOKIES[layer.cookie]};l2tp.l2_specific:${sublayer}`;
}
