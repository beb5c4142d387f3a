import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress, formatMac, isIpv4Mapped, isUnspecified, parseAddress } from './index.ts';

const octets = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
    .map((list) => Uint8Array.from(list)),
  fc
    .uint8Array({ minLength: 4, maxLength: 4 })
    .map((low) => Uint8Array.from([...new Uint8Array(10), 255, 255, ...low])),
);

describe('addresses', () => {
  it('survive being written and read', () => {
    fc.assert(
      fc.property(octets, (address) => {
        assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });

  it('are written as the URL parser, an independent writer of RFC 5952, writes them', () => {
    fc.assert(
      fc.property(octets, (address) => {
        if (isIpv4Mapped(address)) return;
        const text = formatAddress(address);
        assert.ok(isIPv6(text), text);
        assert.equal(new URL(`http://[${text}]/`).hostname, `[${text}]`);
      }),
      { numRuns: 1000 },
    );
  });

  it('follow the examples of RFC 5952', () => {
    for (const [given, written] of [
      ['2001:0db8::0001', '2001:db8::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:DB8::AAAA', '2001:db8::aaaa'],
      ['::', '::'],
      ['::1', '::1'],
      ['1::', '1::'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ] as const)
      assert.equal(formatAddress(parseAddress(given)!), written);
  });

  it('are refused when they are none', () => {
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      '1.2.3.4.5',
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8',
      'g::',
      '12345::',
      '::1.2.3.999',
      'fe80::1%eth0',
    ])
      assert.equal(parseAddress(text), undefined, text);
  });

  it('know the unspecified one and read at an offset', () => {
    const column = new Uint8Array(32);
    column.set(parseAddress('10.0.0.1')!, 16);
    assert.equal(isUnspecified(column), true);
    assert.equal(isUnspecified(column, 16), false);
    assert.equal(formatAddress(column, 16), '10.0.0.1');
  });

  it('of the link layer are lower-case with colons', () => {
    assert.equal(formatMac(Uint8Array.of(0, 0x0a, 0xff, 1, 2, 3)), '00:0a:ff:01:02:03');
  });
});
