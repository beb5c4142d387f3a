import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { completeFilter, type KnownValues, parseFilter, printFilter } from '../index.ts';
import { anyFilter } from './filter.fixture.ts';

/** What is suggested where the text has a `|`. */
function suggested(text: string, known: KnownValues = {}): string[] {
  const cursor = text.indexOf('|');
  return completeFilter(text.replace('|', ''), cursor, known).suggestions.map(({ text }) => text);
}

describe('completion', () => {
  it('of a beginning gives fields, bare words and not', () => {
    assert.deepEqual(suggested('s|'), ['src', 'sport', 'src.mac', 'shortest', 'sit', 'srv6', 'sctp']);
    assert.deepEqual(suggested('tcp and VN|'), ['vni']);
    assert.deepEqual(suggested('(not outer.s|'), ['outer.src', 'outer.sport']);
    assert.ok(suggested('|').length > 50);
  });

  it('behind a field gives the operators it has, and values', () => {
    assert.deepEqual(suggested('src |', { src: ['10.0.0.1'] }), ['=', '!=', 'in', '10.0.0.1']);
    assert.deepEqual(suggested('octets |'), ['=', '!=', 'in', '<', '<=', '>', '>=']);
  });

  it('of a value gives what was seen and is one, then the words', () => {
    const known = { vlan: ['7', '12', 'none', '9999'] };
    assert.deepEqual(suggested('vlan = |', known), ['7', '12', 'none']);
    assert.deepEqual(suggested('vlan in [7, 1|', known), ['12']);
    assert.deepEqual(suggested('tunnel = vx|'), ['vxlan', 'vxlan-gpe']);
    assert.deepEqual(suggested('vlan > |', known), ['7', '12']);
    assert.deepEqual(suggested('cast != |'), ['unicast', 'multicast', 'broadcast']);
  });

  it('behind a condition joins', () => {
    assert.deepEqual(suggested('tcp |'), ['and', 'or']);
    assert.deepEqual(suggested('(tcp a|'), ['and']);
    assert.deepEqual(suggested('port in [80 |'), [',', ']']);
  });

  it('says nothing behind a mistake, or in quotes', () => {
    assert.deepEqual(suggested('scr = 1 and |'), []);
    assert.deepEqual(suggested('iface = "et|'), []);
  });

  it('replaces the whole word that the cursor stands in', () => {
    const { from, to, suggestions } = completeFilter('tcp and dpotr = 80', 10);
    assert.deepEqual([from, to], [8, 13]);
    assert.deepEqual(suggestions[0]?.text, 'dport');
  });

  it('of fields, values and joiners suggests what can be read there', () => {
    fc.assert(
      fc.property(anyFilter, fc.nat(), (filter, place) => {
        const text = printFilter(filter);
        const cursor = place % (text.length + 1);
        const { from, to, suggestions } = completeFilter(text, cursor);
        assert.ok(from <= cursor && cursor <= to && to <= text.length);
        for (const { kind, text: word } of suggestions) {
          if (kind === 'value') parseFilter(`${text.slice(0, from)}${word}${closed(text.slice(0, from))}`);
        }
      }),
    );
  });
});

/** What a text that was cut lacks: the brackets that are open. */
function closed(text: string): string {
  const open: string[] = [];
  for (const [sign] of text.replace(/"(?:[^"\\]|\\.)*"/gs, '').matchAll(/[()[\]]/g)) {
    if (sign === '(' || sign === '[') open.unshift(sign === '(' ? ')' : ']');
    else open.shift();
  }
  return open.join('');
}
