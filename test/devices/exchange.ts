/** Builds a device at both ends of a cable and sends counted traffic through it. */
import assert from 'node:assert/strict';
import { ipBatch, run, writeSettings } from '../../src/lab/command.ts';
import type { Duty } from '../../src/lab/duty.ts';
import {
  type Device,
  ENDS,
  type End,
  innerAddress,
  outerAddress,
  TUNNEL_MTU,
  type Version,
} from './device.ts';
import type { Done } from './generator.ts';
import { isLacking, type Rig, throwLackingFamily } from './rig.ts';

/** The namespaces of the two ends; the meter is in the first. */
export const HOSTS = { 1: 'tsdev-a', 2: 'tsdev-b' } as const;

/** One direction of what was exchanged, with what its sender says of it. */
export interface Sent {
  readonly kind: 'ping' | 'udp' | 'tcp';
  readonly version: Version;
  /** The number of the sending end. */
  readonly from: 1 | 2;
  readonly destinationPort?: number;
  readonly sourcePort?: number;
  /** Messages; of TCP unknown. */
  readonly messages?: number;
  /** Octets of payload. */
  readonly octets: number;
}

/** What went through a device. */
export interface Exchange {
  readonly sent: readonly Sent[];
  /** Segments that TCP sent again, at both ends. */
  readonly retransmitted: number;
}

const PINGS = { count: 3, size: 100 } as const;
/** One stream of datagrams in each direction, and one TCP transfer. */
const FORWARD = { port: 7000, count: 40, size: 500 } as const;
const BACKWARD = { port: 7100, count: 30, size: 200 } as const;
const TRANSFER = { port: 7200, octets: 200_000 } as const;
const PER_SECOND = 500;

/** The numbers of the metered interfaces: the cable, and the device if there is one. */
export interface Places {
  readonly under: number;
  readonly tunnel: number | undefined;
}

/**
 * Lays a cable between the hosts, makes the device at both ends, and waits until it is metered and the epoch of its making
 * has ended.
 *
 * @returns where it is metered, or what this kernel lacks for it
 */
export async function lay(rig: Rig, device: Device): Promise<Places | string> {
  await ipBatch(HOSTS[1], [`link add under type veth peer name under netns ${HOSTS[2]}`]);
  try {
    for (const end of ENDS) await make(rig, end, device);
  } catch (error) {
    if (isLacking(error)) return `this kernel has no ${device.name}`;
    throw error;
  }
  const names = ['under', ...(device.ownHeaders === undefined ? [] : ['tunnel'])];
  const metered = await rig.metering(...names);
  await rig.epochEnded();
  const [under, tunnel] = names.map((wanted) => metered.find(({ name }) => name === wanted)!.ifindex);
  return { under: under!, tunnel };
}

async function make(rig: Rig, end: End, device: Device): Promise<void> {
  const namespace = HOSTS[end.here];
  const { familyLines, lines, settings, commands, carrier } = device.make(end);
  const hasDevice = device.ownHeaders !== undefined;
  const addresses = (name: string, address: (version: Version, end: number) => string, bits: string[]) => [
    `addr add ${address(4, end.here)}/${bits[0]} dev ${name}`,
    `addr add ${address(6, end.here)}/${bits[1]} dev ${name} nodad`,
  ];
  const cable = ['link set under addrgenmode none up', ...addresses('under', outerAddress, ['24', '64'])];
  const up = hasDevice
    ? ['link set tunnel up', ...addresses('tunnel', innerAddress, ['24', '64'])]
    : addresses('under', innerAddress, ['32', '128']);
  const quiet = hasDevice ? [`link set tunnel mtu ${TUNNEL_MTU} addrgenmode none`] : [];
  // As few processes as can be: each costs a tenth of a second under emulation.
  if (!familyLines && !settings && !commands && !carrier)
    return ipBatch(namespace, [...cable, ...lines, ...quiet, ...up]);
  if (familyLines) {
    await ipBatch(namespace, cable.splice(0));
    await ipBatch(namespace, familyLines).catch(throwLackingFamily);
  }
  await ipBatch(namespace, [...cable, ...(hasDevice ? [] : up), ...lines, ...quiet]);
  if (settings) await writeSettings(namespace, settings);
  for (const { words, input } of commands ?? []) {
    const { status, stderr } = await run('ip', ['netns', 'exec', namespace, ...words], input);
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  }
  if (carrier) await rig.carry(namespace, carrier);
  if (hasDevice) await ipBatch(namespace, up);
}

/** Takes all of it away again, also what was made in part only. */
export async function takeAway(rig: Rig, { unmake }: Device): Promise<void> {
  if (unmake) for (const name of Object.values(HOSTS)) await rig.force(name, unmake);
  await rig.clear('tunnel', 'service', 'under');
}

/** Whether the meter sees nothing on the cable of what is inside. */
export function isOpaque({ isEncrypted, plainPort }: Device): boolean {
  return isEncrypted === true || plainPort !== undefined;
}

/**
 * Sends pings, datagrams in both directions and a TCP transfer through the device, by each version it carries; no
 * transfer where the cable's records cannot say what is inside: their octets then depend on the length of every segment.
 */
export async function exchange(rig: Rig, device: Device): Promise<Exchange> {
  const { inner } = device;
  const sent: Sent[] = [];
  for (const version of inner) sent.push(...(await ping(version)));
  const all = inner.flatMap(dutiesOf);
  const duties = isOpaque(device) ? all.filter(([{ stream }]) => stream.kind === 'udp') : all;
  const [one, two] = [HOSTS[1], HOSTS[2]].map((name) => rig.generator(name));
  await Promise.all([one!.open(duties.map(([here]) => here)), two!.open(duties.map(([, there]) => there))]);
  const done = await Promise.all([one!.run(), two!.run()]);
  for (const [here] of duties) sent.push(...sentBy(here, done));
  return { sent, retransmitted: done[0].retransmitted + done[1].retransmitted };
}

async function ping(version: Version): Promise<Sent[]> {
  const { count, size } = PINGS;
  const words = ['ping', '-n', '-q', '-c', `${count}`, '-s', `${size}`, '-i', '0.05', '-W', '20'];
  const { stdout, stderr } = await run('ip', [
    ...['netns', 'exec', HOSTS[1], ...words],
    ...['-I', innerAddress(version, 1), innerAddress(version, 2)],
  ]);
  const [, transmitted, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  // It ends early at an error, one of its own socket too: what it sent is what counts.
  const messages = Number(transmitted);
  assert.ok(messages > 0 && received === transmitted, stdout + stderr);
  const octets = messages * size;
  return ([1, 2] as const).map((from) => ({ kind: 'ping', version, from, messages, octets }));
}

/** Both ends of each stream: what the first host does, and what the second. */
function dutiesOf(version: Version): [Duty, Duty][] {
  const streams = [
    { ...FORWARD, from: 1, id: 0, kind: 'udp' },
    { ...BACKWARD, from: 2, id: 1, kind: 'udp' },
    { ...TRANSFER, from: 1, id: 2, kind: 'bulk' },
  ] as const;
  return streams.map(({ from, id, port: base, ...stream }): [Duty, Duty] => {
    const port = base + version;
    const isTcp = stream.kind === 'bulk';
    const source = { address: innerAddress(version, from), port: isTcp ? 0 : port };
    const destination = { address: innerAddress(version, 3 - from), port };
    const ends = { from: 'host0', to: 'host1', perSecond: PER_SECOND };
    const common = { id: 10 * version + id, stream: { ...ends, ...stream } };
    const sending: Duty = { ...common, role: 'send', local: source, remote: destination };
    const receiving: Duty = { ...common, role: 'receive', local: destination, remote: source };
    return from === 1 ? [sending, receiving] : [receiving, sending];
  });
}

/** What a stream sent, by its sender; asserts that its receiver has all of it. */
function sentBy({ id, role, stream, local, remote }: Duty, done: readonly Done[]): Sent[] {
  const [sender, receiver] = role === 'send' ? done : done.toReversed();
  const { sentMessages, sentOctets, errors } = sender!.tallies.get(id)!;
  const { receivedMessages, receivedOctets } = receiver!.tallies.get(id)!;
  const tally = { sentMessages, sentOctets, errors };
  assert.deepEqual(tally, { sentMessages: receivedMessages, sentOctets: receivedOctets, errors: 0 });
  const version: Version = local.address.includes(':') ? 6 : 4;
  const from = role === 'send' ? 1 : 2;
  const destinationPort = from === 1 ? remote.port : local.port;
  const one = { version, from, octets: sentOctets, destinationPort } as const;
  if (stream.kind === 'udp') return [{ ...one, kind: 'udp', messages: sentMessages }];
  const back = { version, from: 2, octets: 0, sourcePort: destinationPort } as const;
  return [
    { ...one, kind: 'tcp' },
    { ...back, kind: 'tcp' },
  ];
}
