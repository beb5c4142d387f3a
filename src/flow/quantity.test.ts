import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bitRateQuantity,
  countQuantity,
  formatQuantity,
  octetQuantity,
  packetRateQuantity,
  shareQuantity,
} from './index.ts';

describe('quantities', () => {
  it('read as the examples of the views', () => {
    assert.equal(formatQuantity(octetQuantity(882)), '882 B');
    assert.equal(formatQuantity(octetQuantity(1024)), '1.00 KiB');
    assert.equal(formatQuantity(octetQuantity(318 * 2 ** 20)), '318 MiB');
    assert.equal(formatQuantity(octetQuantity(1.24 * 2 ** 30)), '1.24 GiB');
    assert.equal(formatQuantity(bitRateQuantity(155_000_000)), '1.24 Gbit/s');
    assert.equal(formatQuantity(packetRateQuantity(84_100)), '84.1 kpkt/s');
    assert.equal(formatQuantity(countQuantity(5_210_000)), '5.21 M');
    assert.equal(formatQuantity(countQuantity(0)), '0');
    assert.equal(formatQuantity(bitRateQuantity(0)), '0 bit/s');
  });

  it('go to the next unit where rounding does', () => {
    assert.equal(formatQuantity(countQuantity(999)), '999');
    assert.equal(formatQuantity(countQuantity(999_499)), '999 k');
    assert.equal(formatQuantity(countQuantity(999_500)), '1.00 M');
    assert.equal(formatQuantity(packetRateQuantity(999.9)), '1.00 kpkt/s');
  });

  it('have three significant digits at least and never four places beyond the unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e18, noNaN: true }), (value) => {
        for (const quantity of [countQuantity(value), packetRateQuantity(value), bitRateQuantity(value)]) {
          assert.match(quantity.number, /^\d{1,3}(\.\d{1,2})?$/);
          assert.ok(quantity.number.length <= 4);
        }
        assert.ok(octetQuantity(value).number.length <= 4);
      }),
    );
  });

  it('say a share in percent, small ones as below a tenth', () => {
    assert.equal(formatQuantity(shareQuantity(634, 1000)), '63.4 %');
    assert.equal(formatQuantity(shareQuantity(1, 100_000)), '< 0.1 %');
    assert.equal(formatQuantity(shareQuantity(0, 10)), '0.0 %');
    assert.equal(formatQuantity(shareQuantity(10, 10)), '100 %');
    assert.equal(formatQuantity(shareQuantity(1, 0)), '0.0 %');
  });
});
