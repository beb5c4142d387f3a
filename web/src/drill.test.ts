import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseViewFilter, printFilter } from '../../src/query/index.ts';
import { meshOf, multicastOf } from '../../src/query/vnet.fixture.ts';
import { placeOfClient, placeOfLink, placeOfMac } from './drill.ts';
import { networkGraph } from './network.ts';
import { type Place, readPlace, writePlace } from './question.ts';

const { place } = readPlace(
  '?host=10.0.0.1&client=a&list=pairs&units=rate&sight=network&at=lab/x&table=links',
);

/** The filter of a place, which a view takes, and its pair. */
function asked(to: Place): readonly [string | undefined, string | undefined] {
  const { filter, pair } = to.question;
  if (filter !== undefined) assert.notEqual(printFilter(parseViewFilter(filter)), 'any');
  assert.equal(to.sight, 'chord');
  assert.equal(readPlace(writePlace(to)).place.question.filter, filter, 'the address says it');
  return [filter, pair];
}

test('a link leads to what goes between its ends, in all segments or in one', () => {
  const [link] = networkGraph({ functions: meshOf(2, 2) }).links;
  const ends = 'outer.host = 172.16.1.100 and outer.host = 172.16.1.101';
  const pair = '172.16.1.100~172.16.1.101';
  assert.deepEqual(asked(placeOfLink(place, link!)), [ends, pair]);
  assert.deepEqual(asked(placeOfLink(place, link!, 'vxlan:10001')), [`vni = 10001 and ${ends}`, pair]);
  assert.equal(
    writePlace(placeOfLink(place, link!, 'vxlan:10001'))
      .replaceAll('+', ' ')
      .replaceAll('%3D', '='),
    `?window=1m&pair=${pair}&filter=vni = 10001 and ${ends}&units=rate`,
    'nothing of the place before but what traffic has of its own',
  );
});

test('a link over IPv6 and one to the groups of several segments have filters that are understood', () => {
  const far = meshOf(2, 1, 1).map((bridge) => ({
    ...bridge,
    tunnel: { ...bridge.tunnel, address: 'fd00:16::100' },
    peers: bridge.peers.map((peer) => ({ ...peer, address: 'fd00:16::101' })),
  }));
  const [link] = networkGraph({ functions: far }).links;
  assert.deepEqual(asked(placeOfLink(place, link!)), [
    'outer.host = fd00:16::100 and outer.host = fd00:16::101',
    'fd00:16::100~fd00:16::101',
  ]);
  const groups = networkGraph({ functions: multicastOf(2, 2) }).links.find(({ a }) => a === 'groups');
  assert.deepEqual(asked(placeOfLink(place, groups!)), [
    'outer.host in [239.1.1.1, 239.1.1.2] and outer.host in [172.16.1.100]',
    undefined,
  ]);
});

test('a MAC leads to its tunnel, a client to its VLANs, what has neither to all traffic', () => {
  const mac = { segment: 'gretap:7', own: '172.16.1.100', peer: null };
  assert.deepEqual(asked(placeOfMac(place, mac)), ['vni = 7 and outer.host = 172.16.1.100', undefined]);
  assert.deepEqual(asked(placeOfMac(place, { ...mac, own: '' })), [undefined, undefined]);
  assert.deepEqual(asked(placeOfClient(place, [5, 100])), ['vlan = 5 and vlan = 100', undefined]);
  assert.deepEqual(asked(placeOfClient(place, [])), [undefined, undefined]);
});
