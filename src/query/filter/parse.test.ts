import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FilterError, parseFilter, parseRule, printFilter } from '../index.ts';
import { anyFilter } from './filter.fixture.ts';

/** What a filter is in its one form. */
const canonical = (text: string): string => printFilter(parseFilter(text));

const failure = (text: string): FilterError => {
  try {
    parseFilter(text);
  } catch (error) {
    assert.ok(error instanceof FilterError, String(error));
    return error;
  }
  return assert.fail(`${text} was read`);
};

describe('the filter language', () => {
  it('is plain data', () => {
    assert.deepEqual(parseFilter('src = 10.0.0.0/8 and not (dport in [80, 8000-8999] or octets >= 10MB)'), {
      kind: 'and',
      filters: [
        { kind: 'is', field: 'src', values: [{ kind: 'network', address: '10.0.0.0', prefix: 8 }] },
        {
          kind: 'not',
          filter: {
            kind: 'or',
            filters: [
              {
                kind: 'is',
                field: 'dport',
                values: [
                  { kind: 'number', number: 80 },
                  { kind: 'range', from: 8000, to: 8999 },
                ],
              },
              { kind: 'compare', field: 'octets', operator: '>=', number: 10_000_000 },
            ],
          },
        },
      ],
    });
    assert.deepEqual(parseFilter(' \n'), { kind: 'any' });
  });

  const FORMS: readonly (readonly [string, readonly string[]])[] = [
    [
      'src = 10.0.0.1',
      ['src=10.0.0.1', 'SRC == 10.0.0.1', 'source 10.0.0.1', 'src in [10.0.0.1]', 'src=10.0.0.1/32'],
    ],
    [
      'src != 10.0.0.1',
      ['not src=10.0.0.1', '! src 10.0.0.1', 'src not in (10.0.0.1)', 'not (src = 10.0.0.1)'],
    ],
    ['host = fd00::/8', ['fd00::/8', 'net fd12:3456::/8', 'host=fd00:0::0/8']],
    ['host = 10.0.0.0/8', ['10.0.0.0/8', '10.1.2.3/8', 'net=10.1.2.3/8', '::ffff:10.0.0.0/104']],
    ['proto = tcp', ['tcp', 'TCP', 'proto 6', 'protocol = Tcp', 'proto=0x6']],
    ['proto in [tcp, 200]', ['proto in (6,200)', 'proto [ tcp , 200 ]']],
    ['tunnel = gre', ['gre', 'tunnel gre']],
    ['network = ipv6', ['ipv6', 'network=IPv6']],
    ['port = 443', ['port 443', 'port=443', 'port 443-443']],
    ['port = 1000..2000', ['port 1000-2000', 'port in [1000..2000]']],
    ['vni in [5001, 5002..5010]', ['id in [5001,5002-5010]', 'vni = (0x1389, 5002..5010)']],
    ['vlan = none', ['vlan none', 'vlan = NONE']],
    ['direction = ingress', ['direction in [in]', 'dir = in', 'direction = ingress']],
    ['iface = veth*', ['interface=veth*', 'iface "veth*"']],
    ['iface = "and"', ['iface "and"']],
    ['iface = "a \\"b\\""', ['iface="a \\"b\\""']],
    ['ethertype = lldp', ['ethertype 0x88cc', 'ethertype=LLDP']],
    ['ethertype = 0x8847', ['ethertype 34887']],
    ['dscp = ef', ['dscp 46', 'dscp=EF']],
    ['mac = 02:00:00:00:00:0a', ['mac 02-00-00-00-00-0A']],
    ['tcp.flags in [syn, ack]', ['tcpflags = [SYN, ack]']],
    ['octets > 10MB', ['bytes > 10000000', 'octets>10000kB', 'octets > 0.01G']],
    ['octets > 3MiB', ['octets > 3072KiB', 'octets > 3mi']],
    ['packets < 5k', ['packets < 5000']],
    ['duration >= 90s', ['duration >= 1m30s', 'duration >= 90000ms']],
    ['src = 10.0.0.1 or tcp and udp', []],
    ['port = 1 and (port = 2 or port = 3)', ['port 1&&(port 2||port 3)', 'port 1 AND ((port 2) or port 3)']],
    ['port = 1 or port = 2 and port = 3 or port = 4', ['(port 1 or (port 2 and port 3)) or port 4']],
    ['not (port = 1 and port = 2)', ['!(port 1 and port 2)', 'not((port 1) and port 2)']],
    ['not port != 1', ['not not port 1', '!port!=1']],
    ['any', ['', 'ANY', '(any)']],
  ];
  for (const [written, typed] of FORMS)
    it(`writes ${written} for all that says the same`, () => {
      for (const text of typed) assert.equal(canonical(text), written, text);
    });

  const MISTAKES: readonly (readonly [string, number, string])[] = [
    ['scr = 10.0.0.1', 1, 'unknown field "scr"; did you mean "src"?'],
    ['tcp and dprot=80', 9, 'unknown field "dprot"; did you mean "dport"?'],
    ['tcp and', 8, 'expected a condition, found the end'],
    ['tcp port 80', 5, 'expected "and", "or" or the end, found "port"'],
    ['(tcp', 5, 'expected "and", "or" or ")", found the end'],
    ['tcp)', 4, 'expected "and", "or" or the end, found ")"'],
    ['port', 5, 'expected an operator or a value, found the end'],
    ['port = ', 8, 'expected a value of "port", found the end'],
    ['port = and tcp', 8, 'expected a value of "port", found "and"'],
    ['port = 65536', 8, '"65536" is not a number or range from 0 to 65535'],
    ['port = 20-10', 8, '"20-10" is not a number or range from 0 to 65535'],
    ['port in [80, 443', 17, 'expected "," or "]", found the end'],
    ['port in [80 443]', 13, 'expected "," or "]", found "443"'],
    ['port in []', 10, 'expected a value of "port", found "]"'],
    ['src < 10.0.0.1', 5, '"src" has no order; use =, != or in'],
    ['443', 1, 'a number alone says nothing; did you mean "port 443"?'],
    ['udpp', 1, 'no field, address or protocol: "udpp"; did you mean "udp"?'],
    ['tcp & udp', 5, 'a single "&"; did you mean "&&"?'],
    ['iface = "eth0', 9, 'a quote that does not end'],
    ['vlan = 4096', 8, '"4096" is not a number or range from 0 to 4095 or a name: none'],
    ['vlan > none', 8, '"none" is not a number from 0 to 4095'],
    ['octets > 1.5', 10, '"1.5" is not a number of octets, e.g. 1500, 10MB or 4MiB'],
    [
      'src = 10.0.0.256',
      7,
      '"10.0.0.256" is not an address or network, e.g. 10.0.0.1, 10.0.0.0/8 or fd00::/8',
    ],
    [
      'src = 10.0.0.0/33',
      7,
      '"10.0.0.0/33" is not an address or network, e.g. 10.0.0.1, 10.0.0.0/8 or fd00::/8',
    ],
    ['and', 1, 'expected a condition, found "and"'],
  ];
  for (const [text, column, problem] of MISTAKES)
    it(`says of ${text} what is wrong and where`, () => {
      const { message, column: at } = failure(text);
      assert.deepEqual([at, message], [column, `column ${column}: ${problem}`]);
    });

  it('proposes the word of a value that was mistyped', () => {
    assert.equal(failure('tunnel = vxlna').suggestion, 'vxlan');
    assert.equal(failure('proto = tpc').suggestion, 'tcp');
  });

  it('points at the mistake, also in a long line and behind what a terminal would act on', () => {
    assert.equal(failure('tcp and prot = 6').caret(), '  tcp and prot = 6\n          ^^^^');
    assert.equal(failure('tcp and').caret(), '  tcp and\n         ^');
    const long = failure(`${'tcp or '.repeat(50)}\u001b[31m = 1`);
    const [line = '', carets = ''] = long.caret().split('\n');
    assert.ok(line.length < 140 && !line.includes('\u001b'), line);
    assert.equal(line[carets.indexOf('^')], '·');
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        assert.deepEqual(parseFilter(printFilter(filter)), filter);
      }),
      { numRuns: 500 },
    );
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        assert.deepEqual(JSON.parse(JSON.stringify(filter)), filter);
      }),
    );
  });

  it('throws nothing but its own error, with a place in the text, whatever it is given', () => {
    const pieces = fc.constantFrom(
      ...[
        'src',
        'port',
        '=',
        '!=',
        '!',
        '<',
        'in',
        'not',
        'and',
        'or',
        '(',
        ')',
        '[',
        ']',
        ',',
        '"',
        '\\',
        '-',
        '..',
      ],
      ...[
        '10.0.0.1/8',
        'fd00::/8',
        '80',
        '1-2',
        '10MB',
        'tcp',
        'octets',
        'iface',
        'any',
        ' ',
        '\0',
        '𝄞',
        '__proto__',
      ],
    );
    const soup = fc.array(pieces, { maxLength: 30 }).map((words) => words.join(' '));
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      soup,
      fc.array(pieces).map((words) => words.join('')),
    );
    let mistakes = 0;
    fc.assert(
      fc.property(texts, (text) => {
        for (const parse of [parseFilter, parseRule]) {
          try {
            parse(text);
          } catch (error) {
            assert.ok(error instanceof FilterError, String(error));
            const { from, to } = error.span;
            assert.ok(0 <= from && from <= to && to <= text.length, JSON.stringify(error.span));
            assert.equal(error.caret().split('\n').length, 2);
            mistakes++;
          }
        }
      }),
      { numRuns: 800 },
    );
    assert.ok(mistakes > 400, String(mistakes));
  });

  it('refuses what is too deep or too long, at once', () => {
    assert.match(failure('('.repeat(30_000)).message, /^column 66: nested more than 64 deep$/);
    assert.match(failure('not '.repeat(10_000)).message, /nested more than 64 deep$/);
    assert.match(failure('tcp or '.repeat(10_000)).message, /^column 65537: longer than 65536 characters$/);
    assert.equal(parseFilter(`${'tcp or '.repeat(9000)}tcp`).kind, 'or');
  });
});
