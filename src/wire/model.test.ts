/** What no other tool says of a tunnelled packet: levels, reasons, remarks, and what stays of the levels outside. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MARK, NETWORK, REMARK, TUNNEL } from '../flow/index.ts';
import { type Model, type Packet, type PacketModelOptions, packet } from './index.ts';

const outer = { source: '192.0.2.1', destination: '192.0.2.2' } as const;
const frame = packet().eth().ipv4(outer);
const vxlan = frame.udp({ sourcePort: 50_000, destinationPort: 4789 }).vxlan(42);

function record(of: Packet, options?: PacketModelOptions): Model {
  const verdict = of.model(options);
  assert.ok(verdict.record, `${of}: ${verdict.reason}`);
  return verdict.record;
}

function reason(of: Packet, options?: PacketModelOptions): string {
  const verdict = of.model(options);
  return verdict.record ? 'in a record' : `${verdict.reason} ${verdict.level}`;
}

describe('the stack of tunnels', () => {
  it('is told from the outside in, the fifth tunnel is too many', () => {
    const four = vxlan.eth().ipv4().gre({ key: 5 }).ipv6().udp({ destinationPort: 2152 }).gtpu(0x1a2b).ipv4();
    const { tunnelDepth, tunnelKind, tunnel2Kind, tunnel2Id, tunnel3Id, tunnel4Kind, tunnel4Id } = record(
      four.mpls([100]).ipv4().tcp(),
    );
    assert.equal(tunnelDepth, 4);
    assert.deepEqual([tunnelKind, tunnel2Kind, tunnel4Kind], [TUNNEL.vxlan, TUNNEL.gre, TUNNEL.mpls]);
    assert.deepEqual([tunnel2Id, tunnel3Id, tunnel4Id], [5, 0x1a2b, 100]);
    assert.equal(reason(four.mpls([100]).ipv4().gre().ipv4()), 'tunnel_depth 5');
    assert.equal(reason(four.mpls([100]).ipv4().tcp(), { length: 40 }), 'ipv4_total_length 0');
  });

  it('has the outer addresses of the first level that IP carries, or none', () => {
    const plain = record(packet().eth().mpls([100]).ipv4().tcp());
    assert.deepEqual([plain.outerNetwork, plain.outerSource, plain.tunnelId], [NETWORK.none, '::', 100]);
    const carried = record(packet().eth().pppoe(7).ppp().ipv4(outer).gre().ipv6().udp());
    assert.deepEqual([carried.outerNetwork, carried.outerSource], [NETWORK.ipv4, '192.0.2.1']);
    assert.equal(carried.tunnelKind, TUNNEL.pppoe);
  });

  it('keeps the tags of the outermost frame and of the innermost one of a tunnel', () => {
    const tagged = packet().eth().vlan(5).ipv4().udp({ destinationPort: 4789 }).vxlan(1).eth().vlan(9);
    assert.deepEqual([record(tagged.arp()).vlan, record(tagged.arp()).innerVlan], [0x8005, 0x8009]);
    const inGre = record(tagged.ipv4().gre().ipv4().tcp());
    assert.deepEqual([inGre.vlan, inGre.innerVlan], [0x8005, 0]);
    assert.equal(record(packet().eth().vlan(6, { tpid: 0x9100 }).mpls([3]).ipv4().tcp()).vlan, 0x8006);
  });

  it('keeps the MACs of the level outside where there are none', () => {
    const source = '02:00:00:00:00:77';
    assert.equal(record(packet().eth({ source }).ipv4().gre().ipv4().tcp()).sourceMac, source);
    assert.equal(record(packet().ipv4().gre().ipv4().tcp()).sourceMac, '00:00:00:00:00:00');
  });
});

describe('what is announced as a tunnel', () => {
  const to = (port: number): Packet => frame.udp({ destinationPort: port });

  it('and is none stays a plain flow with a remark', () => {
    for (const each of [
      to(4789).vxlan(1, { flags: 0 }).eth(),
      to(4790).vxlanGpe(1, { flags: 0x1c }),
      to(6081).geneve(1, { length: 9 }).eth(),
      to(2152).gtpu(1, { type: 0 }),
      to(1701).l2tp(1, 2, { version: 1 }),
      to(51_820).wireguard(4, 1, { reserved: 1 }),
      frame.gre({ routing: true }),
      frame.gre({ version: 3 }),
      frame.etherip({ version: 0x3001 }),
      packet().eth().pppoe(7, { code: 9 }),
    ]) {
      const { remark, tunnelKind, markKind, payloadOctets, network } = record(each);
      assert.deepEqual([remark, tunnelKind, markKind], [REMARK.notTunnel, TUNNEL.none, MARK.none], `${each}`);
      assert.equal(payloadOctets > 0n, network !== NETWORK.none, `${each}`);
    }
  });

  it('and carries nothing is plain without a remark', () => {
    for (const each of [
      to(2152).gtpu(1, { message: 1 }),
      to(1701).l2tp(1, 2, { control: true }),
      to(1701).l2tpv3(5, { control: true }),
      to(4500).payload(new Uint8Array(40)),
      to(4500).payload(Uint8Array.of(0xff)),
      frame.l2tpv3(0),
    ]) {
      const { remark, tunnelKind, markKind } = record(each);
      assert.deepEqual([remark, tunnelKind, markKind], [0, TUNNEL.none, MARK.none], `${each}`);
    }
  });

  it('is one, whatever it carries', () => {
    const old = record(to(4790).vxlan(5).eth().arp());
    assert.deepEqual([old.tunnelKind, old.tunnelId, old.network], [TUNNEL['vxlan-gpe'], 5, NETWORK.arp]);
    const inGre = record(frame.gre({ protocol: 0x6003 }).payload(9));
    assert.deepEqual([inGre.tunnelKind, inGre.ethertype, inGre.network], [TUNNEL.gre, 0x6003, NETWORK.none]);
    const keepalive = record(frame.eoip(300));
    assert.deepEqual([keepalive.tunnelKind, keepalive.tunnelId, keepalive.ethertype], [TUNNEL.eoip, 300, 0]);
    assert.equal(record(frame.pptp(4, { acknowledgment: 1 })).tunnelKind, TUNNEL.pptp);
    assert.equal(record(frame.nvgre(5001, 3).eth().arp()).tunnelKind, TUNNEL.gretap);
    const nvgre = record(frame.nvgre(5001, 3).eth().arp(), { nvgre: true });
    assert.deepEqual([nvgre.tunnelKind, nvgre.tunnelId], [TUNNEL.nvgre, 5001]);
  });

  it('and lies is in the ledger at its level', () => {
    assert.equal(reason(packet().eth().nsh(1, { length: 1 }).ipv4()), 'nsh_length 0');
    assert.equal(reason(packet().eth().pppoe(1, { length: 99 }).ppp()), 'pppoe_length 0');
    assert.equal(reason(vxlan.eth().mpls([1, 3, 4, 5, 6, 7, 8, 9, 10])), 'mpls_depth 1');
    assert.equal(reason(to(2152).gtpu(1, { extensions: [0] })), 'gtp_extension 0');
    const keyed = frame.gre({ key: 5 }).withoutLengths();
    assert.equal(reason(keyed, { length: keyed.length - 1 }), 'gre_truncated 0');
    const ppp = packet().eth().pppoe(7, { length: 0 }).ppp();
    assert.equal(reason(ppp), 'ppp_truncated 1');
  });
});

describe('remarks and marks', () => {
  it('say what was guessed, and that a label said it', () => {
    assert.equal(record(packet().eth().mpls([100]).ipv4().tcp()).remark, REMARK.guessed);
    assert.equal(record(packet().eth().mpls([100, 0]).ipv4().tcp()).remark, 0);
    assert.equal(record(frame.l2tpv3(9, { cookie: 4 }).eth().ipv4().tcp()).remark, REMARK.guessed);
    const critical = frame.udp({ destinationPort: 6081 }).geneve(7, { options: 8, critical: true });
    assert.equal(record(critical.eth().mpls([100]).ipv6().tcp()).remark, REMARK.guessed | REMARK.critical);
  });

  it('name encrypted and routed flows', () => {
    const marked = (of: Packet): number[] => {
      const { markKind, markId, protocol } = record(of);
      return [markKind, markId, protocol];
    };
    assert.deepEqual(marked(frame.esp(0xdead_beef).payload(20)), [MARK.esp, 0xdead_beef, 50]);
    assert.deepEqual(marked(frame.ah(9).tcp()), [MARK.ah, 9, 6]);
    assert.deepEqual(marked(packet().eth().ipv6().ah(9).udp()), [MARK.ah, 9, 17]);
    assert.deepEqual(marked(frame.ah(9).esp(10).payload(8)), [MARK.esp, 10, 50]);
    assert.deepEqual(marked(frame.ah(9).gre().ipv4().tcp()), [MARK.ah, 9, 6]);
    assert.deepEqual(marked(frame.udp({ destinationPort: 4500 }).esp(11).payload(8)), [
      MARK['esp-udp'],
      11,
      17,
    ]);
    assert.deepEqual(marked(frame.udp({ destinationPort: 51_820 }).wireguard(4, 12)), [
      MARK['wireguard-data'],
      12,
      17,
    ]);
    const extensions = [
      { kind: 'segmentRouting', segments: ['fd00::5', 'fd00::6'], segmentsLeft: 1 },
    ] as const;
    assert.deepEqual(marked(packet().eth().ipv6({ extensions }).udp()), [MARK['segment-routing'], 1, 17]);
    const routed = record(packet().eth().ipv6({ extensions }).ipv4().udp());
    assert.deepEqual([routed.tunnelKind, routed.tunnelId, routed.markKind], [TUNNEL.srv6, 1, MARK.none]);
  });
});
