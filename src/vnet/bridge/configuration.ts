/** The configuration of a distributed bridge: what a file may say, and what it means. */
import { z } from 'zod';
import { ConfigError, parseDuration, readConfigAs } from '../../config/index.ts';
import { parseTunnelEnd, type TunnelEnd } from './address.ts';

function read<Value>(wanted: string, reader: (text: string) => Value | undefined) {
  return z.union([z.string(), z.number()], { error: wanted }).transform((value, context): Value => {
    const result = reader(String(value));
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: wanted, input: value });
    return z.NEVER;
  });
}

const count = (min: number, max: number) =>
  read(`a whole number from ${min} to ${max}`, (text) =>
    /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined,
  );

const duration = () =>
  read('a duration from 100ms to 1h such as 5m', (text) => {
    try {
      return parseDuration('', text);
    } catch (error) {
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  });

const link = () =>
  z
    .string({ error: 'the name of an interface' })
    .regex(/^[^\s/:]{1,15}$/, 'the name of an interface (at most 15 characters)');

const flag = () => z.boolean({ error: 'true or false' });
const list = <Each extends z.ZodType>(each: Each) => z.array(each, { error: 'a list' });
const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: 'a section with keys of its own' });
const choice = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `one of ${words.join(', ')}` });

const station = () =>
  read('the address of a tunnel end such as 172.16.1.101', (text) => {
    const end = parseTunnelEnd(text);
    return end && !end.isGroup ? end : undefined;
  });
const group = () =>
  read('a multicast address such as 239.1.1.1', (text) => {
    const end = parseTunnelEnd(text);
    return end?.isGroup ? end : undefined;
  });
const mac = () =>
  read('the MAC address of one station such as 02:00:00:00:00:01', (text) =>
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) &&
    !(Number.parseInt(text.slice(1, 2), 16) & 1) &&
    !/^[0:]*$/.test(text)
      ? text.toLowerCase()
      : undefined,
  );

const segment = section({
  vni: count(1, 16_777_215).describe('which segment: the number that frames have in the tunnel'),
  group: group().optional().describe('multicast: to whom this segment is flooded'),
  bridge: link().optional().describe('a Linux bridge that gets a port into the segment'),
  ports: list(link())
    .prefault([])
    .describe('interfaces of tenants (host ends of veth, tap) that are in the segment'),
  mtu: count(68, 65_535).optional().describe('octets behind the Ethernet header; default: what fits'),
  peers: list(station()).optional().describe('mesh: of this segment, in place of those of all'),
  static: list(
    section({
      mac: mac(),
      peer: station().optional(),
      port: link().optional().describe('one of the ports, or the name of the bridge'),
    }).refine(({ peer, port }) => (peer === undefined) !== (port === undefined), 'with a peer or a port'),
  )
    .prefault([])
    .describe('addresses that are where they are said to be, and nowhere else'),
  layout: choice(['replicate', 'port-per-peer'])
    .prefault('replicate')
    .describe('mesh: who copies frames to all peers, the program here or the Linux bridge'),
});

/** All there is to set. Later checks need the machine: they are in the plan. */
export const BridgeConfigurationSchema = section({
  mode: choice(['mesh', 'multicast']).prefault('mesh').describe('how unknown destinations are reached'),
  underlay: section({
    device: link(),
    address: station().optional().describe('default: the first of the device'),
  })
    .optional()
    .describe('the network that the tunnels go over; without it segments end on this host'),
  tunnel: section({
    kind: choice(['vxlan', 'gretap']).prefault('vxlan'),
    device: link().prefault('tsvx0').describe('made where there is none of this name'),
    port: count(1, 65_535).prefault(4789).describe('UDP port of VXLAN'),
    ttl: count(1, 255).prefault(64),
  })
    .prefault({})
    .describe('the device that all segments use'),
  group: group().optional().describe('multicast: one group for all segments that have none of their own'),
  segments: list(segment).min(1, 'a list of at least one segment'),
  peers: list(station()).prefault([]).describe('mesh: the other tunnel ends'),
  peersFile: z
    .string({ error: 'the name of a file' })
    .min(1, 'the name of a file')
    .optional()
    .describe('further ones, an address a line, with a VNI behind it for one segment; read when it changes'),
  ageing: duration().prefault('5m').describe('what was not heard of for so long is unknown again'),
  capacity: count(16, 1_048_576).prefault(10_240).describe('addresses that are known at a time'),
  moves: section({
    limit: count(1, 1000).prefault(5),
    period: duration().prefault('10s'),
  })
    .prefault({})
    .describe('an address that changes its place more often than this is not believed'),
  answerNeighbours: flag()
    .prefault(false)
    .describe('answer ARP and neighbour discovery for what is known behind a peer'),
}).superRefine((all, context) => {
  const wrong = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  const seen = new Set<number>();
  const isFar = all.mode === 'multicast' || all.peers.length > 0 || all.peersFile !== undefined;
  if (
    all.underlay === undefined &&
    (isFar || all.segments.some((each) => each.peers || each.layout !== 'replicate'))
  )
    wrong([], 'complete: for peers or groups it needs an underlay');
  for (const [i, each] of all.segments.entries()) {
    if (seen.has(each.vni)) wrong(['segments', i, 'vni'], 'a VNI of its own: another segment has it');
    seen.add(each.vni);
    if (each.bridge === undefined && each.ports.length === 0)
      wrong(['segments', i], 'complete: it needs a bridge or ports');
    if (all.mode === 'multicast' && (each.group ?? all.group) === undefined)
      wrong(['segments', i], 'complete: in mode multicast it needs a group, or all of them one');
    if (each.layout === 'port-per-peer' && (all.mode !== 'mesh' || each.bridge === undefined))
      wrong(['segments', i, 'layout'], 'possible here: it needs mode mesh and a bridge');
    if (each.layout === 'port-per-peer' && each.ports.length > 0)
      wrong(['segments', i, 'ports'], 'possible with layout port-per-peer: ports go into the bridge there');
  }
});

/** A validated configuration. */
export type BridgeConfiguration = z.output<typeof BridgeConfigurationSchema>;
/** One of its segments. */
export type BridgeSegment = BridgeConfiguration['segments'][number];
export type { TunnelEnd };

/** Reads a file. @throws ConfigFileError with all mistakes and their places */
export function readBridgeConfiguration(path: string): BridgeConfiguration {
  return readConfigAs(path, BridgeConfigurationSchema);
}
