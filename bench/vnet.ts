/** Network functions: ns per packet of the programs of relay and bridge, against programs that only redirect. */
import { fileURLToPath } from 'node:url';
import { BpfObject, type BpfProgram, kernelAtLeast, testRun } from '../src/bpf/index.ts';
import { Delivery, Entry, EntryKey, PeerKey, Place, PlaceKind, Segment } from '../src/vnet/gen/bridge.ts';
import { Cable } from '../src/vnet/gen/relay.ts';
import { packet } from '../src/wire/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type Figure, median, minimum, pairwise } from './figure.ts';

const RELAY = fileURLToPath(new URL('../bpf/vnet/relay.bpf.o', import.meta.url));
const LOOPBACK = 1;
/** As in bench/bridge.bpf.c. */
const VNI = 10;
const FAR_END = 0xc000_0202;
const PORT_NUMBER = 1;
const PEER_NUMBER = 2;
const HERE = '02:00:00:00:00:01';
const BESIDE = '02:00:00:00:00:02';
const THERE = '02:00:00:00:00:03';

/** What is measured: a program, on a frame, against a twin that does only what cannot be left out. */
interface Case {
  readonly name: string;
  readonly program: BpfProgram;
  readonly twin: BpfProgram;
  readonly frame: Uint8Array;
}

export const vnet: Benchmark = {
  name: 'vnet',
  method:
    'BPF_PROG_TEST_RUN of single UDP frames of 60 octets, interleaved rounds of 50,000. “figure” is the difference of the minima to the ' +
    'floor’s, “median” the middle of the differences round by round, “floor” a program that only redirects. Each is given twice where the tunnel’s metadata ' +
    'is read or written: above redirecting alone, and above a program that does that too.',
  run({ quick, progress }) {
    using workshop = new Workshop();
    using relay = BpfObject.openFile(RELAY);
    relay.load();
    relay.map('cables').update(word(LOOPBACK), struct(Cable.size, [[Cable.offsets.ifindex, LOOPBACK]]));
    using bridge = BpfObject.openFile(workshop.object('bench/bridge.bpf.c'));
    bridge.setConstant('tunnel_ifindex', LOOPBACK);
    bridge.setConstant('has_coarse_clock', Number(kernelAtLeast('5.11')));
    bridge.load();
    fill(bridge);
    const program = (name: string): BpfProgram => bridge.program(name);
    const cases: Case[] = [
      {
        name: 'relay: above redirect',
        program: relay.program('ts_relay'),
        twin: program('redirect_only'),
        frame: frame(HERE, BESIDE),
      },
      {
        name: 'bridge, from port to port: above redirect',
        program: program('bridge_port'),
        twin: program('redirect_only'),
        frame: frame(HERE, BESIDE),
      },
      {
        name: 'bridge, from port to peer: above redirect, metadata and all',
        program: program('bridge_port'),
        twin: program('redirect_only'),
        frame: frame(HERE, THERE),
      },
      {
        name: 'bridge, from port to peer: above metadata and redirect',
        program: program('bridge_port'),
        twin: program('aim_only'),
        frame: frame(HERE, THERE),
      },
      {
        name: 'bridge, from peer to port: above metadata and redirect',
        program: program('bridge_tunnel'),
        twin: program('whence_only'),
        frame: frame(THERE, BESIDE),
      },
    ];
    const rounds = quick ? 20 : 100;
    return Promise.resolve(
      cases.map((each) => {
        progress(each.name);
        return measured(each, rounds);
      }),
    );
  },
};

function measured({ name, program, twin, frame }: Case, rounds: number): Figure {
  const own: number[] = [];
  const floors: number[] = [];
  const once = (which: BpfProgram): number => testRun(which, { packet: frame, repeat: 50_000 }).durationNs;
  const REDIRECTED = 7;
  const { retval } = testRun(program, { packet: frame });
  if (retval !== REDIRECTED) throw new Error(`vnet: ${name}: the frame was not redirected (${retval})`);
  for (let round = 0; round < rounds; round++) {
    own.push(once(program));
    floors.push(once(twin));
  }
  return {
    name,
    unit: 'ns',
    figure: minimum(own) - minimum(floors),
    median: median(pairwise(own, floors, (value, floor) => value - floor)),
    rounds,
    floor: minimum(floors),
  };
}

/** A segment with the loopback interface as its port and one peer; two stations are at the port, one behind the peer. */
function fill(object: BpfObject): void {
  const { offsets } = Place;
  const places: [number, [number, number][]][] = [
    [
      PORT_NUMBER,
      [
        [offsets.kind, PlaceKind.PORT],
        [offsets.ifindex, LOOPBACK],
        [offsets.delivery, Delivery.BY_SENDING],
      ],
    ],
    // Stations at a second port, so that a frame from the first one has where to go.
    [
      PEER_NUMBER + 1,
      [
        [offsets.kind, PlaceKind.PORT],
        [offsets.ifindex, LOOPBACK],
        [offsets.delivery, Delivery.BY_SENDING],
      ],
    ],
    [
      PEER_NUMBER,
      [
        [offsets.kind, PlaceKind.PEER],
        [offsets.address, FAR_END],
      ],
    ],
  ];
  for (const [number, members] of places)
    object
      .map('places')
      .update(word(number), struct(Place.size, [...members, [offsets.vni, VNI], [offsets.mtu, 1450]]));
  object.map('segments').update(word(VNI), struct(Segment.size, [[Segment.offsets.mtu, 1450]]));
  object.map('port_numbers').update(word(LOOPBACK), word(PORT_NUMBER));
  const peer = struct(PeerKey.size, [
    [PeerKey.offsets.vni, VNI],
    [PeerKey.offsets.address, FAR_END],
  ]);
  object.map('peer_numbers').update(peer, word(PEER_NUMBER));
  for (const [mac, place] of [
    [HERE, PORT_NUMBER],
    [BESIDE, PEER_NUMBER + 1],
    [THERE, PEER_NUMBER],
  ] as const) {
    const key = struct(EntryKey.size, [[EntryKey.offsets.vni, VNI]]);
    key.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), EntryKey.offsets.mac);
    // Static: it does not age while others measure.
    object.map('entries').update(
      key,
      struct(Entry.size, [
        [Entry.offsets.place, place],
        [Entry.offsets.flags, 1],
      ]),
    );
  }
}

function frame(source: string, destination: string): Uint8Array {
  return packet().eth({ source, destination }).ipv4().udp().payload(18).build();
}

/** Octets with 32-bit numbers at places. */
function struct(size: number, members: readonly (readonly [offset: number, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of members) view.setUint32(offset, value, true);
  return bytes;
}

function word(value: number): Uint8Array {
  return struct(4, [[0, value]]);
}
