import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TONES } from '../../query/index.ts';
import { depthOf, nearest256, paletteOf, themeOf } from './palette.ts';
import { BOLD, onGround, REVERSE, segmentStyle, styleOf, UNDERLINE } from './style.ts';

test('the terminal says how many colours it has, and NO_COLOR that none are wanted', () => {
  assert.equal(depthOf({ TERM: 'xterm-256color' }), '256');
  assert.equal(depthOf({ TERM: 'tmux-256color', COLORTERM: 'truecolor' }), 'true');
  assert.equal(depthOf({ TERM: 'xterm-direct' }), 'true');
  assert.equal(depthOf({ TERM: 'screen' }), '16');
  assert.equal(depthOf({ TERM: 'linux' }), '16');
  assert.equal(depthOf({ TERM: 'vt220' }), 'none');
  assert.equal(depthOf({ TERM: 'dumb', COLORTERM: 'truecolor' }), 'none');
  assert.equal(depthOf({}), 'none');
  assert.equal(depthOf({ TERM: 'xterm-256color', NO_COLOR: '1' }), 'none');
  assert.equal(depthOf({ TERM: 'xterm-256color', NO_COLOR: '' }), '256');
});

test('COLORFGBG says the ground; where nothing does it is dark', () => {
  assert.equal(themeOf({}), 'dark');
  assert.equal(themeOf({ COLORFGBG: '15;0' }), 'dark');
  assert.equal(themeOf({ COLORFGBG: '0;15' }), 'light');
  assert.equal(themeOf({ COLORFGBG: '0;default;7' }), 'light');
});

const SEGMENTS = Array.from({ length: TONES }, (_, i) => `vxlan:${10_000 + i}`);

test('each of ten segments in a row has a colour of its own, wherever there are colours', () => {
  for (const theme of ['dark', 'light'] as const)
    for (const depth of ['16', '256', 'true'] as const) {
      const sgr = paletteOf(depth, theme);
      const codes = new Set(SEGMENTS.map((segment) => sgr(segmentStyle(segment))));
      assert.ok(
        codes.size === TONES,
        `${theme} ${depth}: ${[...codes].map((code) => code.slice(2)).join(' ')}`,
      );
      assert.ok(!codes.has(sgr(segmentStyle('none'))));
    }
});

test('on a light ground none of 16 colours is one that it swallows', () => {
  const sgr = paletteOf('16', 'light');
  const styles = [
    ...SEGMENTS.map(segmentStyle),
    ...(['quiet', 'line', 'accent', 'good', 'warn', 'alarm', 'plain'] as const).map((role) => styleOf(role)),
  ];
  // White, and bright green, yellow, cyan and white.
  for (const style of styles) assert.doesNotMatch(sgr(style), /\b(37|92|93|96|97)m/);
});

test('without colours there is emphasis only', () => {
  for (const sgr of [paletteOf('none', 'dark'), paletteOf('true', 'plain')]) {
    assert.equal(sgr(styleOf('alarm', BOLD | UNDERLINE)), '\x1b[0;1;4m');
    assert.equal(sgr(segmentStyle('vxlan:1')), '\x1b[0m');
    assert.equal(sgr(onGround(styleOf('good'), 'chosen')), '\x1b[0;7m');
  }
});

test('with 16 colours the chosen row is reversed ink, with more it has a ground', () => {
  const chosen = onGround(styleOf('warn'), 'chosen');
  assert.equal(paletteOf('16', 'dark')(chosen), '\x1b[0;7m');
  assert.equal(paletteOf('256', 'dark')(chosen), '\x1b[0;38;5;216;48;5;236m');
  assert.equal(paletteOf('true', 'dark')(chosen), '\x1b[0;38;2;239;195;117;48;2;42;49;56m');
  assert.equal(paletteOf('16', 'light')(styleOf('alarm', REVERSE)), '\x1b[0;7;31m');
});

test('the nearest colours are those of the cube and of the greys', () => {
  assert.equal(nearest256(0, 0, 0), 16);
  assert.equal(nearest256(255, 255, 255), 231);
  assert.equal(nearest256(255, 0, 0), 196);
  assert.equal(nearest256(8, 8, 8), 232);
  assert.equal(nearest256(128, 128, 128), 244);
});
