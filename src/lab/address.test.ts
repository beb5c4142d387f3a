import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressText,
  hostAt,
  isGroup,
  isWithin,
  parseCidr,
  subnetAt,
  subnetFirst,
  subnetText,
} from './address.ts';

const cidr = (text: string) => parseCidr(text) ?? assert.fail(`${text} is not read`);

test('an address is written as it was read, IPv6 in its shortest form', () => {
  for (const text of ['172.16.1.100', '0.0.0.1', '255.255.255.254', 'fd00::1', '::', 'fd00:172:16:1::100']) {
    assert.equal(addressText(cidr(`${text}/${text.includes(':') ? 64 : 24}`)), text);
  }
  assert.equal(addressText(cidr('fd00:0:0:0:0:0:0:1/64')), 'fd00::1');
  assert.equal(cidr('::ffff:1.2.3.4/96').value, 0xffff01020304n);
});

test('what is no address with a prefix length is refused', () => {
  for (const text of [
    '172.16.1.100',
    '172.16.1.256/24',
    '172.16.1.1/33',
    'fd00::1/129',
    'fd00::1%eth0/64',
    'x/8',
    '1.2.3.4/0',
  ]) {
    assert.equal(parseCidr(text), undefined, text);
  }
});

test('counting hosts ends at the end of the subnet, before the broadcast address', () => {
  const first = cidr('172.16.1.100/24');
  assert.equal(addressText(hostAt(first, 154) ?? assert.fail()), '172.16.1.254');
  assert.equal(hostAt(first, 155), undefined);
  assert.equal(hostAt(first, 156), undefined);
});

test('the next subnet keeps the host part', () => {
  assert.equal(subnetText(subnetAt(cidr('192.168.0.7/24'), 3) ?? assert.fail()), '192.168.3.0/24');
  assert.equal(addressText(subnetAt(cidr('fd00:192:168::1/64'), 1) ?? assert.fail()), 'fd00:192:168:1::1');
  assert.equal(subnetAt(cidr('255.255.255.0/24'), 1), undefined);
});

test('multicast groups of both versions are told from other addresses', () => {
  assert.ok(isGroup(cidr('239.1.1.1/32')) && isGroup(cidr('ff05::1/128')));
  assert.ok(!isGroup(cidr('192.168.0.1/32')) && !isGroup(cidr('fd00::1/128')));
});

test('an address is in a subnet by number, not by its first letters (BUG-B41)', () => {
  assert.ok(isWithin('99.1.1.7', '99.1.1.0/24'));
  assert.ok(!isWithin('99.1.10.7', '99.1.1.0/24'));
  assert.ok(!isWithin('99.1.1.7', '99.1.10.0/24'));
  assert.ok(!isWithin('fd00::1', '99.1.1.0/24'));
  assert.ok(isWithin('fd00::1:7', 'fd00::/64'));
  assert.equal(addressText(subnetFirst('99.1.1.0/24')!), '99.1.1.1');
});
