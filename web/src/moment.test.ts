import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { agentNowMs, questionTime, renewalMs } from './moment.ts';
import { readPlace } from './question.ts';

const at = (search: string) => questionTime(readPlace(search).place, 1_000_000_000);

describe('the time of a question', () => {
  it('is a window while it is live, else a span', () => {
    assert.deepEqual(at(''), { window: '5s' });
    assert.deepEqual(at('?window=1m'), { window: '1m' });
    assert.deepEqual(at('?window=1m&time=15m'), { fromMs: 999_100_000, toMs: 1_000_000_000 });
    assert.deepEqual(at('?time=1970-01-01T00:00:01Z/1970-01-01T00:00:02Z'), { fromMs: 1000, toMs: 2000 });
  });

  it('ends now by the clock of the agent, whatever that of the browser says', () => {
    const newest = {
      atMs: 5000,
      intervalSeconds: 1,
      isRecorded: false,
      receivedMs: 900_000,
      ageOnReceiptMs: 300,
    };
    assert.equal(agentNowMs(newest, 902_000), 7300);
    assert.equal(agentNowMs({ ...newest, isRecorded: true }, 902_000), 5000);
  });

  it('is renewed as often as a chart could show it', () => {
    assert.equal(renewalMs(60_000), 5000);
    assert.equal(renewalMs(3_600_000), 18_000);
  });
});
