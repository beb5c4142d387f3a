import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggest, taken } from './suggest.ts';

/** Takes the suggestion of that text at the cursor, which `|` stands for, and gives the same form. */
function take(marked: string, word: string): string {
  const cursor = marked.indexOf('|');
  const text = marked.replace('|', '');
  const completion = suggest(text, cursor, undefined);
  const suggestion = completion.suggestions.find((each) => each.text === word);
  assert.ok(suggestion, `${word} is suggested at ${marked}`);
  const next = taken(text, completion, suggestion);
  return `${next.text.slice(0, next.cursor)}|${next.text.slice(next.cursor)}`;
}

test('a suggestion takes the place of the word at the cursor, and the next word can be typed', () => {
  assert.equal(take('tun|', 'tunnel'), 'tunnel |');
  assert.equal(take('tunnel = vx|', 'vxlan'), 'tunnel = vxlan |');
  assert.equal(take('tun| = vxlan', 'tunnel'), 'tunnel |= vxlan');
  assert.equal(take('p|or and tcp', 'port'), 'port |and tcp');
  assert.equal(take('not (tcp |)', 'or'), 'not (tcp or|)');
});

test('nothing is suggested that a live view refuses, that is typed already, or after a mistake', () => {
  const words = (text: string): string[] =>
    suggest(text, text.length, undefined).suggestions.map((each) => each.text);
  assert.ok(!words('').includes('octets') && !words('').includes('iface'));
  assert.deepEqual(words('proto = udplite'), []);
  assert.deepEqual(words('dprot = 80 an'), []);
});
