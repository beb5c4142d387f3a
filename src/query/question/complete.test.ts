import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { completeQuestion, DIMENSIONS, type KnownValues, parseQuestion, printQuestion } from '../index.ts';
import { anyQuestion } from './question.fixture.ts';

const CLOCK = { nowMs: Date.parse('2026-11-21T14:30Z'), timeZone: 'Europe/Berlin' } as const;

const TIMES = ['last', 'since', 'from', 'today', 'yesterday', 'on'] as const;

/** What is suggested where the text has a `|`. */
function suggested(text: string, known: KnownValues = {}): string[] {
  const cursor = text.indexOf('|');
  const { suggestions } = completeQuestion(text.replace('|', ''), cursor, { ...CLOCK, known });
  return suggestions.map((each) => each.text);
}

describe('completion of a question', () => {
  it('begins with what can be asked', () => {
    assert.deepEqual(suggested('|'), ['top', 'series', 'matrix', 'distinct', 'flows', 'tunnels', 'compare']);
    assert.deepEqual(suggested('T|'), ['top', 'tunnels']);
  });

  it('goes on with dimensions, and a comma behind them', () => {
    assert.deepEqual(suggested('top |'), [...DIMENSIONS]);
    assert.deepEqual(suggested('top 5 outer.|'), ['outer.src', 'outer.dst']);
    assert.deepEqual(suggested('top src, d|'), ['dst', 'dport', 'dscp', 'direction']);
    const behind = [...TIMES, 'live', 'by', 'points', 'where'];
    assert.deepEqual(suggested('top src |'), [',', ...behind]);
    assert.deepEqual(suggested('top iface |'), [',', ...TIMES, 'by', 'points', 'where']);
    assert.deepEqual(suggested('distinct vni |'), behind);
    assert.deepEqual(suggested('matrix src |'), [',']);
    assert.deepEqual(suggested('flows |'), behind);
    assert.deepEqual(suggested('tunnels |'), behind);
    assert.deepEqual(suggested('compare src |'), [',', ...TIMES, 'by', 'with', 'points', 'where']);
    assert.ok(suggested('series |').includes('segment') && suggested('series |').includes('step'));
  });

  it('knows what each clause takes, and which are said already', () => {
    assert.deepEqual(suggested('top src by |'), ['octets', 'packets', 'payload', 'flows']);
    assert.deepEqual(suggested('top src last |'), ['15m', '1h', '24h', '7d', '30d']);
    assert.deepEqual(suggested('top src last 1h by octets |'), ['points', 'where']);
    assert.deepEqual(suggested('flows from |'), ['today', 'yesterday', 'now']);
    assert.deepEqual(suggested('flows from 10:00 |'), ['to']);
    assert.deepEqual(suggested('flows since 2h |'), ['ago']);
    assert.deepEqual(suggested('compare src with |'), ['previous', 'yesterday', '7d', 'from']);
    assert.deepEqual(suggested('flows points |'), ['once', 'every']);
    assert.deepEqual(suggested('top src points once |'), [...TIMES, 'by', 'where']);
    assert.deepEqual(suggested('top src live |'), ['5s', '1m', 'all', 'by', 'where']);
    assert.deepEqual(suggested('top src live 1m |'), ['by', 'where']);
  });

  it('is that of filters behind where, but for fields that cannot be asked of the past', () => {
    assert.deepEqual(suggested('top src where s|'), ['src', 'sport', 'src.mac', 'sit', 'srv6', 'sctp']);
    assert.deepEqual(suggested('top src where vni = |', { vni: ['5001', '5002', 'x'] }), ['5001', '5002']);
    assert.deepEqual(suggested('top src where tcp |'), ['and', 'or']);
    assert.ok(suggested('top src where i|').includes('iface'));
    assert.ok(!suggested('top src live where i|').includes('iface'));
  });

  it('says nothing behind a mistake', () => {
    assert.deepEqual(suggested('tpo src |'), []);
    assert.deepEqual(suggested('tpo src where |'), []);
    assert.deepEqual(suggested('top src where octets > 1 and |'), []);
  });

  it('suggests only what can be read there, at every place of every question', () => {
    let proposed = 0;
    fc.assert(
      fc.property(anyQuestion, fc.nat(), (question, place) => {
        const text = printQuestion(question);
        const cursor = place % (text.length + 1);
        const { from, to, suggestions } = completeQuestion(text, cursor, CLOCK);
        assert.ok(from <= cursor && cursor <= to && to <= text.length);
        for (const { text: word } of suggestions) {
          proposed++;
          const taken = `${text.slice(0, from)}${word}`;
          try {
            parseQuestion(taken, CLOCK);
          } catch (error) {
            // What is begun is not yet whole: the mistake is the end, not the word.
            const { span, message } = error as { span: { from: number }; message: string };
            assert.ok(span.from >= taken.length || message.includes('this '), `${taken}: ${message}`);
          }
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(proposed > 300, String(proposed));
  });
});
