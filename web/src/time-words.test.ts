import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthWords, momentWords, spanWords, tickWords, zoneWords } from './time-words.ts';

const HOUR = 3_600_000;
const nowMs = Date.UTC(2026, 10, 21, 12);
const berlin = { nowMs, timeZone: 'Europe/Berlin' };

describe('moments in words', () => {
  it('name the day where it is another, the year too, and seconds where there are some', () => {
    assert.equal(momentWords(nowMs, berlin), '13:00');
    assert.equal(momentWords(nowMs + 30_000, berlin), '13:00:30');
    assert.equal(momentWords(nowMs - 24 * HOUR, berlin), '20 Nov 13:00');
    assert.equal(momentWords(Date.UTC(2025, 8, 1), berlin), '1 Sep 2025 02:00');
  });

  it('a span names the second day only where it is another one', () => {
    const span = { fromMs: nowMs - 24 * HOUR, toMs: nowMs - 23 * HOUR };
    assert.equal(spanWords(span, berlin), '20 Nov 13:00 – 14:00');
    assert.equal(spanWords({ ...span, toMs: nowMs }, berlin), '20 Nov 13:00 – 21 Nov 13:00');
    assert.equal(spanWords({ ...span, toMs: nowMs - 10 * HOUR }, berlin), '20 Nov 13:00 – 21 Nov 03:00');
    assert.equal(
      spanWords({ fromMs: nowMs - 72 * HOUR, toMs: nowMs - 24 * HOUR }, berlin),
      '18 Nov 13:00 – 20 Nov 13:00',
    );
    const newYear = Date.UTC(2025, 11, 31, 23);
    assert.equal(
      spanWords({ fromMs: newYear - HOUR, toMs: newYear + HOUR }, berlin),
      '31 Dec 2025 23:00 – 1 Jan 2026 01:00',
    );
  });

  it('ticks say the day where a new one begins', () => {
    const midnight = Date.UTC(2026, 10, 20, 23);
    const ticks = [midnight - HOUR, midnight, midnight + HOUR];
    assert.deepEqual(tickWords(ticks, HOUR, 'Europe/Berlin'), ['23:00', '21 Nov', '01:00']);
    assert.deepEqual(tickWords([nowMs, nowMs + 5000], 5000, 'UTC'), ['12:00:00', '12:00:05']);
    assert.deepEqual(tickWords([nowMs, nowMs + 250], 250, 'UTC'), ['12:00:00.000', '12:00:00.250']);
    assert.deepEqual(tickWords([nowMs], 24 * HOUR, 'UTC'), ['21 Nov']);
  });

  it('the zone is named, and how far it is off', () => {
    assert.equal(zoneWords(nowMs, 'Europe/Berlin'), 'Europe/Berlin, UTC+1');
    assert.equal(zoneWords(Date.UTC(2026, 6, 1), 'Europe/Berlin'), 'Europe/Berlin, UTC+2');
    assert.equal(zoneWords(nowMs, 'UTC'), 'UTC');
    assert.equal(zoneWords(nowMs, 'Asia/Tehran'), 'Asia/Tehran, UTC+3:30');
  });

  it('lengths have their two largest units', () => {
    assert.equal(lengthWords(900_000), '15 min');
    assert.equal(lengthWords(5_400_000), '1 h 30 min');
    assert.equal(lengthWords(7 * 24 * HOUR), '7 d');
    assert.equal(lengthWords(24 * HOUR), '24 h');
    assert.equal(lengthWords(49 * HOUR), '2 d 1 h');
    assert.equal(lengthWords(0), '0 s');
  });
});
