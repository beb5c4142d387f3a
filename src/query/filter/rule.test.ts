import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchOf } from '../../flow/batch.fixture.ts';
import { compileFilter, FilterError, parseFilter, parseRule, parseRules, printFilter } from '../index.ts';

const BATCH = batchOf([
  { between: ['1.1.1.1', '2.2.2.2'], ports: [1000, 22], protocol: 6, octets: 1, packets: 1 },
  { between: ['1.1.1.1', '2.2.2.2'], ports: [1000, 22], protocol: 17, octets: 1, packets: 1 },
  { between: ['10.1.0.1', '2.2.2.2'], ports: [9999, 0], protocol: 1, icmp: [8, 0], octets: 1, packets: 1 },
  { between: ['11.1.1.1', '2.2.2.2'], ports: [9999, 7], protocol: 17, octets: 1, packets: 1 },
]);

function chosen(rules: readonly string[]): number[] {
  const test = compileFilter(parseRules(rules), BATCH.points);
  return [...Array(BATCH.length).keys()].filter((row) => test(BATCH.columns, row));
}

describe('a rule of five fields', () => {
  const RULES: readonly (readonly [string, string])[] = [
    ['1.1.1.1 2.2.2.2 - 22 TCP', 'src = 1.1.1.1 and dst = 2.2.2.2 and dport = 22 and tcp'],
    ['- - - - [TCP,UDP]', 'proto in [tcp, udp]'],
    ['- - - - [TCP, UDP]', 'proto in [tcp, udp]'],
    ['[10.1.0.1,11.1.1.1] - 9999 - ICMP', 'src in [10.1.0.1, 11.1.1.1] and sport = 9999 and icmp'],
    ['- - - - -', 'any'],
    [
      '  10.0.0.0/8   fd00::/8 - 1000-2000 132 ',
      'src 10.0.0.0/8 and dst fd00::/8 and dport 1000-2000 and sctp',
    ],
    [
      '!10.0.0.1 ![10.0.0.2, 10.0.0.3] - !22 -',
      'src != 10.0.0.1 and dst not in [10.0.0.2,10.0.0.3] and dport != 22',
    ],
    ['- - [80, 8000-8999] - tcp', 'sport in [80, 8000-8999] and tcp'],
  ];
  for (const [rule, filter] of RULES)
    it(`${rule} is a filter`, () => {
      assert.equal(printFilter(parseRule(rule)), printFilter(parseFilter(filter)));
    });

  it('wants all its fields; a flow without ports does not have the one that is asked for', () => {
    assert.deepEqual(chosen(['1.1.1.1 2.2.2.2 - 22 TCP']), [0]);
    assert.deepEqual(chosen(['- - - - [TCP,UDP]']), [0, 1, 3]);
    assert.deepEqual(chosen(['[10.1.0.1,11.1.1.1] - 9999 - ICMP']), []);
    assert.deepEqual(chosen(['[10.1.0.1,11.1.1.1] - 9999 - [ICMP, UDP]']), [3]);
  });

  it('is one of several: any of them is enough, none at all is everything', () => {
    assert.deepEqual(chosen(['- - - - ICMP', '1.1.1.1 - - - UDP']), [1, 2]);
    assert.deepEqual(chosen([]), [0, 1, 2, 3]);
  });

  it('that is everything may stand before others (a reference made a program of it that did not compile)', () => {
    assert.deepEqual(chosen(['- - - - -', '1.1.1.1 - - - TCP']), [0, 1, 2, 3]);
  });

  const MISTAKES: readonly (readonly [string, number, RegExp])[] = [
    ['1.1.1.1 2.2.2.2 - 22', 21, /expected PROTOCOL or -, found the end/],
    ['- - - - TCP -', 13, /a rule has five fields: IP_SRC IP_DST PORT_SRC PORT_DST PROTOCOL/],
    ['- - - 65536 -', 7, /"65536" is not a number or range from 0 to 65535/],
    ['- - - - [TCP, TPC]', 15, /did you mean "tcp"/],
    ['- - - - [TCP', 13, /expected "," or "]"/],
    ['1.1.1 - - - -', 1, /"1.1.1" is not an address/],
    ['- - -1 - -', 5, /"-1" is not a number/],
    ['; - - - -', 1, /";" is not an address/],
  ];
  for (const [rule, column, problem] of MISTAKES)
    it(`${rule} is none, and says where`, () => {
      assert.throws(
        () => parseRule(rule),
        (error) => error instanceof FilterError && error.column === column && problem.test(error.message),
      );
    });
});
