import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ethertypeName,
  hasPorts,
  isIcmp,
  MARK,
  markName,
  markWords,
  NETWORK,
  protocolName,
  TUNNEL,
  type TunnelName,
  transportName,
  tunnelIdText,
  tunnelName,
  tunnelWords,
} from './index.ts';

describe('protocol names', () => {
  it("are the reference report's, extended", () => {
    const names = [1, 2, 4, 6, 8, 12, 17, 22, 29, 33, 41, 46, 136].map(protocolName);
    assert.deepEqual(names, [
      'ICMP',
      'IGMP',
      'IPIP',
      'TCP',
      'EGP',
      'PUP',
      'UDP',
      'IDP',
      'TP',
      'DCCP',
      'IPV6',
      'RSVP',
      'UDPLITE',
    ]);
    assert.equal(protocolName(132), 'SCTP');
    assert.equal(protocolName(253), '253');
  });

  it('never read ARP or another ethertype as IP', () => {
    assert.equal(transportName(NETWORK.arp, 1, 0x0806), 'ARP');
    assert.equal(transportName(NETWORK.none, 0, 0x88cc), 'LLDP');
    assert.equal(transportName(NETWORK.none, 0, 0x1234), '0x1234');
    assert.equal(transportName(NETWORK.none, 0, 0x0027), 'LLC');
    assert.equal(transportName(NETWORK.ipv6, 58, 0x86dd), 'ICMPV6');
  });

  it('know who has ports and who has a type and code', () => {
    assert.deepEqual([6, 17, 33, 132, 136, 1, 47, 58].map(hasPorts), [
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    assert.deepEqual([1, 58, 6].map(isIcmp), [true, true, false]);
  });

  it('name tunnels and refuse a number that is none', () => {
    assert.equal(tunnelName(0), 'none');
    assert.equal(tunnelName(1), 'vxlan');
    assert.equal(tunnelName(24), 'pppoe');
    assert.throws(() => tunnelName(27), RangeError);
    assert.throws(() => tunnelName(200), RangeError);
  });

  it('and their numbers are the places of their names', () => {
    for (const [name, number] of Object.entries(TUNNEL)) assert.equal(tunnelName(number), name);
    for (const [name, number] of Object.entries(MARK)) assert.equal(markName(number), name);
    assert.throws(() => markName(9), RangeError);
  });

  it('give identifiers the words of the documents that define them', () => {
    const words = (name: TunnelName, id: number): string => tunnelWords(TUNNEL[name], id);
    assert.equal(words('vxlan', 5001), 'VNI 5001');
    assert.equal(words('nvgre', 5001), 'VNI 5001');
    assert.equal(words('gtp-u', 0x1a2b), 'TEID 0x1a2b');
    assert.equal(words('gre', 5), 'key 5');
    assert.equal(words('gre', 0), 'GRE');
    assert.equal(words('mpls', 100), 'label 100');
    assert.equal(words('pppoe', 7), 'session 7');
    assert.equal(words('l2tp', 0xffff_0007), 'L2TP 65535/7');
    assert.equal(words('ipip', 0), 'IPIP');
    assert.equal(markWords(MARK.esp, 0xdead_beef), 'ESP SPI 0xdeadbeef');
    assert.equal(markWords(MARK['segment-routing'], 2), 'segments left 2');
    assert.equal(tunnelIdText('ip6ip6', 0), '');
  });

  it('give a known ethertype its word', () => {
    assert.deepEqual([0x0800, 0x86dd, 0x0806, 0x8035, 0x88e5].map(ethertypeName), [
      'IPv4',
      'IPv6',
      'ARP',
      'RARP',
      'MACsec',
    ]);
  });
});
