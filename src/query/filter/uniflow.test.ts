import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FILTER_FIELD_NAMES, FilterError, MAX_VIEW_FILTER, parseFilter, parseViewFilter } from '../index.ts';

function mistake(text: string): FilterError {
  try {
    parseViewFilter(text);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  assert.fail(`"${text}" was read`);
}

it('refuses what is not part of a flow that a view shows, with the field and its place', () => {
  for (const [text, reason] of [
    ['octets > 5', /"octets" is of one period/],
    ['tcp.flags = syn', /"tcp.flags" is of one period/],
    ['duration > 5s', /"duration" is of one period/],
    ['iface = eth0', /"iface" is of one observation point/],
    ['dir = in', /"direction" is of one observation point/],
    ['dscp = ef', /"dscp" is of the first packet/],
    ['mac = 02:00:00:00:00:01', /"mac" is of the first packet/],
    ['outer.sport = 5', /"outer.sport" is of the first packet/],
  ] as const) {
    parseFilter(text);
    const error = mistake(`tcp and not (${text})`);
    assert.match(error.message, reason);
    assert.equal(error.column, 14);
  }
});

it('takes every field but those', () => {
  const refused = FILTER_FIELD_NAMES.filter((field) => {
    try {
      // Which values it takes is not the question: a refused field is refused before.
      parseViewFilter(`${field} = `);
      return false;
    } catch (error) {
      return / is of /.test((error as Error).message);
    }
  });
  assert.equal(
    refused.join(' '),
    'outer.sport iface direction src.mac dst.mac mac dscp octets packets payload shortest longest duration tcp.flags',
  );
});

it('refuses many conditions, and takes long lists', () => {
  const conditions = (count: number): string => Array(count).fill('port 80').join(' or ');
  parseViewFilter(conditions(32));
  const { message, span } = mistake(`not (${conditions(33)})`);
  assert.match(message, /^column 1: more than 32 conditions; join values in a list/);
  assert.deepEqual(span, { from: 0, to: conditions(33).length + 6 });
  parseViewFilter(`port in [${Array.from({ length: 330 }, (_, i) => 1000 + 2 * i)}]`);
});

it('refuses what no address bar holds', () => {
  assert.equal(mistake(`tcp ${' '.repeat(MAX_VIEW_FILTER)}`).column, MAX_VIEW_FILTER + 1);
  assert.equal(mistake('not '.repeat(400)).message.includes('nested more than 64 deep'), true);
});
