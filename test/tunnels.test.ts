/** A second opinion on the tunnels of the packet builder and its model: tshark's, as far as it decodes them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type MarkName, markName, TUNNEL_COLUMNS, type TunnelName, tunnelName } from '../src/flow/index.ts';
import { LINK_TYPE, type Model, type Packet, writePcap } from '../src/wire/index.ts';
import {
  bareCombinations,
  OPTIONAL,
  optionalCombinations,
  tunnelCombinations,
} from './tunnel-combinations.ts';

/** Fields that say identifiers; of nested tunnels tshark lists all, from the outside in. */
const ID_FIELDS = [
  'vxlan.vni',
  'nsh.spi',
  'geneve.vni',
  'gre.key',
  'gre.key.call_id',
  'erspan.spanid',
  'gtp.teid',
  'mpls.label',
  'l2tp.tunnel',
  'l2tp.session',
  'l2tp.sid',
  'pppoe.session_id',
  'lisp-data.iid',
  'ipv6.routing.segleft',
  'esp.spi',
  'ah.spi',
  'wg.sender',
  'wg.receiver',
] as const;
const OTHER_FIELDS = [
  'eth.src',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'arp.src.proto_ipv4',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  '_ws.malformed',
] as const;
const CHECKSUMS = ['ip', 'tcp', 'udp', 'gre'].map((name) => `${name}.checksum.status`);

type IdField = (typeof ID_FIELDS)[number];
type Decoded = Readonly<Record<string, readonly string[]>>;

function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
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

/** The packets as tshark reads them. */
function decode(packets: readonly Packet[]): Decoded[] {
  const decoded: Decoded[] = [];
  const formOf = (packet: Packet): string => `${isBare(packet) ? 'bare' : ''};${l2tpv3Form(packet)}`;
  for (const form of new Set(packets.map(formOf))) {
    const chosen = [...packets.keys()].filter((i) => formOf(packets[i]!) === form);
    const frames = chosen.map((i) => packets[i]!.build());
    const [bare, ...preferences] = form.split(';').filter((each, i) => i === 0 || each !== '');
    const capture = writePcap(frames, { linkType: bare ? LINK_TYPE.raw : LINK_TYPE.ethernet });
    const found = decodeCapture(capture, preferences);
    assert.equal(found.length, frames.length);
    for (const [i, number] of chosen.entries()) decoded[number] = found[i]!;
  }
  return decoded;
}

/** A capture as tshark reads it with these preferences, told of what it has no dissector for. */
function decodeCapture(capture: Uint8Array, preferences: readonly string[]): Decoded[] {
  const directory = mkdtempSync(join(tmpdir(), 'tunnels-'));
  try {
    const path = join(directory, 'frames.pcap');
    writeFileSync(path, capture);
    const names = [...ID_FIELDS, ...OTHER_FIELDS, ...CHECKSUMS];
    const options = [
      ...['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]),
      ...['ip', 'ipv6'].flatMap((name) => ['-o', `${name}.defragment:FALSE`]),
      ...preferences.flatMap((each) => ['-o', each]),
      ...['udp.port==8472,vxlan', 'udp.port==51820,wg', 'l2tp.pw_type==0,eth'].flatMap((each) => [
        '-d',
        each,
      ]),
    ];
    const words = ['-n', '-r', path, ...options, '-T', 'fields', '-E', 'aggregator=;'];
    const text = execFileSync('tshark', [...words, ...names.flatMap((name) => ['-e', name])], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    });
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) =>
        Object.fromEntries(
          line.split('\t').map((value, i) => [names[i]!, value === '' ? [] : value.split(';')]),
        ),
      );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Where tshark says the identifier of a tunnel, and as what number. */
const TUNNEL_FIELDS: Partial<Record<TunnelName, (id: number) => readonly (readonly [IdField, number])[]>> = {
  vxlan: (id) => [['vxlan.vni', id]],
  'vxlan-gpe': (id) => [['vxlan.vni', id]],
  nsh: (id) => [['nsh.spi', id]],
  geneve: (id) => [['geneve.vni', id]],
  'erspan-2': (id) => [['erspan.spanid', id]],
  'erspan-3': (id) => [['erspan.spanid', id]],
  srv6: (id) => [['ipv6.routing.segleft', id]],
  'gtp-u': (id) => [['gtp.teid', id]],
  l2tp: (id) => [
    ['l2tp.tunnel', id >>> 16],
    ['l2tp.session', id & 0xffff],
  ],
  l2tpv3: (id) => [['l2tp.sid', id]],
  pptp: (id) => [['gre.key.call_id', id]],
  pppoe: (id) => [['pppoe.session_id', id]],
  lisp: (id) => (id === 0 ? [] : [['lisp-data.iid', id]]),
};
const MARK_FIELDS: Record<Exclude<MarkName, 'none'>, IdField> = {
  esp: 'esp.spi',
  ah: 'ah.spi',
  'esp-udp': 'esp.spi',
  'wireguard-initiation': 'wg.sender',
  'wireguard-response': 'wg.receiver',
  'wireguard-cookie': 'wg.receiver',
  'wireguard-data': 'wg.receiver',
  'segment-routing': 'ipv6.routing.segleft',
};

/** The identifiers of a record by the field in which tshark says them. */
function idsOf(record: Model): Map<IdField, number[]> {
  const ids = new Map<IdField, number[]>();
  const push = (field: IdField, id: number): void => void ids.set(field, [...(ids.get(field) ?? []), id]);
  for (const { kind, id } of TUNNEL_COLUMNS.slice(0, record.tunnelDepth)) {
    for (const [field, number] of TUNNEL_FIELDS[tunnelName(record[kind])]?.(record[id]) ?? [])
      push(field, number);
  }
  const mark = markName(record.markKind);
  if (mark !== 'none') push(MARK_FIELDS[mark], record.markId);
  return ids;
}

/** What differs between a record and what tshark says of the packet. */
function differences({ record, packet, found }: { record: Model; packet: Packet; found: Decoded }): string[] {
  const wrong: string[] = [];
  const compare = (what: string, ours: unknown, theirs: unknown): void => {
    if (String(ours) !== String(theirs)) wrong.push(`${what}: ${ours}, tshark ${theirs}`);
  };
  const tunnels = TUNNEL_COLUMNS.slice(0, record.tunnelDepth).map(({ kind }) => tunnelName(record[kind]));
  for (const [field, ids] of idsOf(record)) compare(field, ids, found[field]?.map(Number));
  const keys = TUNNEL_COLUMNS.flatMap(({ kind, id }) => {
    if (/^(gre|gretap)$/.test(tunnelName(record[kind]))) return record[id] === 0 ? [] : [record[id]];
    return [];
  });
  if (!tunnels.includes('eoip') && !tunnels.includes('nvgre'))
    compare('gre.key', keys, found['gre.key']?.map(Number));
  // tshark does not know EoIP: to it the length and the identifier, low octet first, are a key.
  const eoip = packet.layers.flatMap((layer) => (layer.kind === 'eoip' ? [layer.id] : []));
  const halves = (found['gre.key'] ?? [])
    .map((key) => Number(key) & 0xffff)
    .map((id) => ((id & 255) << 8) | (id >> 8));
  for (const id of eoip) if (!halves.includes(id)) wrong.push(`eoip ${id} is not among ${halves}`);
  const labels = packet.layers.flatMap((layer) => (layer.kind === 'mpls' ? layer.labels : []));
  compare('mpls.label', labels, found['mpls.label']?.map(Number));
  for (const { kind, id } of TUNNEL_COLUMNS)
    if (tunnelName(record[kind]) === 'mpls' && !labels.includes(record[id]))
      wrong.push(`label ${record[id]}`);
  const last = (field: string): string | undefined => found[field]?.at(-1);
  if (record.network === 1)
    compare('ip', [record.source, record.destination], [last('ip.src'), last('ip.dst')]);
  if (record.network === 2)
    compare('ipv6', [record.source, record.destination], [last('ipv6.src'), last('ipv6.dst')]);
  if (record.network === 3) compare('arp', record.source, last('arp.src.proto_ipv4'));
  const transport = { 6: 'tcp', 17: 'udp' }[record.protocol];
  if (transport && record.network !== 3 && record.fragment !== 2)
    compare(
      transport,
      [record.sourcePort, record.destinationPort],
      [last(`${transport}.srcport`), last(`${transport}.dstport`)],
    );
  if (record.sourceMac !== '00:00:00:00:00:00') compare('eth.src', record.sourceMac, last('eth.src'));
  if (record.outerNetwork === 1) compare('outer', record.outerSource, found['ip.src']?.[0]);
  if (record.outerNetwork === 2) compare('outer', record.outerSource, found['ipv6.src']?.[0]);
  return wrong;
}

test('the model says of every tunnel what tshark reads', (t) => {
  if (!hasTshark()) return t.skip('tshark, the second opinion, is not installed');
  const all = [
    ...[...tunnelCombinations(), ...bareCombinations()].map((each) => ({
      ...each,
      verdict: each.packet.model(),
    })),
    ...optionalCombinations().map((each) => ({ ...each, verdict: each.packet.model(OPTIONAL) })),
  ].flatMap(({ name, packet, verdict }) =>
    verdict.record ? [{ name, packet, record: verdict.record }] : [],
  );
  const decoded = decode(all.map(({ packet }) => packet));
  let compared = 0;
  const wrong = all.flatMap(({ name, packet, record }, i) => {
    const reason = UNDECODED.find(([pattern]) => pattern.test(name));
    if (reason) return [];
    compared++;
    return differences({ record, packet, found: decoded[i]! }).map((line) => `${name} (${packet}): ${line}`);
  });
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(compared > 1200, `${compared} of ${all.length} compared`);
  t.diagnostic(`${compared} of ${all.length} compared`);
});

test('tshark finds every checksum of a tunnel good', (t) => {
  if (!hasTshark()) return t.skip('tshark, the second opinion, is not installed');
  const all = [...tunnelCombinations(), ...bareCombinations(), ...optionalCombinations()];
  const decoded = decode(all.map(({ packet }) => packet));
  // What is none reads like GRE with a checksum.
  const wrong = all.flatMap(({ name }, i) =>
    CHECKSUMS.filter((field) => !/^something else to port 4754/.test(name) || field !== 'gre.checksum.status')
      .filter((field) => decoded[i]![field]!.some((status) => !/^[123]$/.test(status)))
      .map((field) => `${name}: ${field} ${decoded[i]![field]}`),
  );
  assert.deepEqual(wrong, []);
  for (const field of CHECKSUMS)
    assert.ok(
      decoded.some((each) => each[field]!.includes('1')),
      `verified some ${field}`,
    );
});

/** What tshark reads otherwise, and why. */
const UNDECODED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^l2tpv3 of something/, 'tshark is told that it is a frame'],
  [
    /^(something else to port|vxlan without VNI|vxlan-gpe version|geneve version|etherip version)/,
    'tshark looks neither at flags nor at versions',
  ],
  [/^mpls of a frame/, 'tshark guesses a pseudowire with a control word'],
  [/^frame in ip/, 'tshark reads a frame behind protocol 143, with segment routing or without'],
  [/lisp with next protocol/, 'tshark does not know the P bit of RFC 9305'],
  [/gre with key in turn pppoe/, 'tshark does not read PPPoE behind GRE'],
];
