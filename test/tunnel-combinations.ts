/** Every tunnel and every mark the meter must read: alone, in pairs and deeper, and what only looks like one, as packets. */
import { type Packet, type PacketModelOptions, packet } from '../src/wire/index.ts';
import { begin, endsOf, fits, type Tunnel } from './tunnel.ts';
import { FORMS } from './tunnel-forms.ts';
import { OPTIONAL_TUNNELS, TUNNELS } from './tunnel-kinds.ts';
import { MARKS } from './tunnel-marks.ts';
import { ODD } from './tunnel-oddities.ts';
import { frame, ip, MACS, over, udp } from './tunnel-surroundings.ts';

/** A packet with the words that say which headers it has. */
export interface TunnelCombination {
  readonly name: string;
  readonly packet: Packet;
}

/** The set-up of the meter in which {@link optionalCombinations} hold. */
export const OPTIONAL: PacketModelOptions = { nvgre: true, ports: { teredo: [3544], ayiya: [5072] } };

/** Two to five of them, by how far apart in the list. */
const DEEP: readonly (readonly number[])[] = [
  [1, 5],
  [4, 9],
  [2, 6, 11],
  [5, 8, 13],
  [1, 2, 3, 4],
];

/** All of them that hold as a meter is set up unless told otherwise. */
export function tunnelCombinations(): TunnelCombination[] {
  const made = new Maker();
  for (const tunnel of [...TUNNELS, ...FORMS]) made.alone(tunnel);
  for (const outer of TUNNELS) for (const inner of TUNNELS) made.stack([outer, inner], made.count % 3);
  for (const steps of DEEP) {
    for (let i = 0; i < TUNNELS.length; i++) {
      const chosen = [0, ...steps].map((step) => TUNNELS[(i + step) % TUNNELS.length]!);
      made.stack(chosen, made.count % 3);
    }
  }
  for (const mark of [...MARKS, ...ODD]) {
    for (const version of [4, 6] as const) {
      made.push(`${mark.name} over ipv${version}`, (n) => mark.add(frame(n, n % 3), version, n));
      made.push(`${mark.name} over ipv${version} in vxlan`, (n) =>
        mark.add(
          over(4789, (p) => p.vxlan(n))(ip(frame(n, 1), 4, n), n)
            .eth(MACS)
            .vlan(8),
          version,
          n,
        ),
      );
    }
  }
  return made.all;
}

/** Those that hold where the meter is set up as {@link OPTIONAL} says. */
export function optionalCombinations(): TunnelCombination[] {
  const made = new Maker();
  for (const tunnel of OPTIONAL_TUNNELS) made.alone(tunnel);
  made.push('something else to the port of teredo', (n) => udp(3544)(ip(frame(n, 0), 4, n), n).payload(40));
  return made.all;
}

/** Packets without a link layer, as a tun device hands them over. */
export function bareCombinations(): TunnelCombination[] {
  const made = new Maker();
  for (const version of [4, 6] as const) {
    made.push(`bare ipv${version}`, (n) => ip(packet(), version, n).tcp().payload(5));
    made.push(`bare ipv${version}, gre`, (n) => ip(ip(packet(), version, n).gre({ key: n }), 6, n).udp());
    made.push(`bare ipv${version}, vxlan`, (n) =>
      ip(over(4789, (p) => p.vxlan(n))(ip(packet(), version, n), n).eth(), 4, n).udp(),
    );
  }
  return made.all;
}

class Maker {
  readonly all: TunnelCombination[] = [];

  get count(): number {
    return this.all.length;
  }

  push(name: string, build: (n: number) => Packet): void {
    this.all.push({ name, packet: build(this.count + 1) });
  }

  /** In every way one can stand in a frame, with every way to go on. */
  alone(tunnel: Tunnel): void {
    for (const version of tunnel.inside === 'link'
      ? ([4] as const)
      : (tunnel.versions ?? ([4, 6] as const))) {
      for (const end of endsOf(tunnel)) {
        for (const tags of [0, 1, 2]) {
          const where = tunnel.inside === 'link' ? '' : ` over ipv${version}`;
          this.push(`${tunnel.name}${where}, ${tags} tags, ${end.name}`, (n) =>
            end.add(begin(frame(n, tags), tunnel, { n, version }), n),
          );
        }
      }
    }
  }

  /** One in another, over IPv4 and IPv6 in turn; nothing where one cannot stand in the other. */
  stack(tunnels: readonly Tunnel[], tags: number): void {
    for (const [i, inner] of tunnels.entries()) if (i > 0 && !fits(tunnels[i - 1]!, inner)) return;
    this.push(`${tunnels.map(({ name }) => name).join(' in turn ')}, ${tags} tags`, (n) => {
      let p = frame(n, tags);
      for (const [level, tunnel] of tunnels.entries()) {
        const outside = tunnels[level - 1];
        if (outside?.carries === 'frame') {
          p = p.eth({ ...MACS, source: `02:11:00:00:00:${10 + level}` });
          if ((n + level) % 3 === 0) p = p.vlan(70 + level);
        }
        const isSix = outside?.carries === 'ipv6' || (outside?.carries !== 'ipv4' && (n + level) % 2 === 0);
        p = begin(p, tunnel, { n: n + level, version: isSix ? 6 : 4 });
      }
      const ends = endsOf(tunnels.at(-1)!);
      return ends[n % ends.length]!.add(p, n);
    });
  }
}
