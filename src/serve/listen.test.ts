import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatListen, isLoopback, parseListen } from '../listen.ts';
import { isHostAllowed, tokenCheck } from './gate.ts';

test('a listen address is read in all three forms', () => {
  assert.deepEqual(parseListen('127.0.0.1:8080'), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(parseListen('8080'), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(parseListen('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseListen('probe-1.example:80'), { host: 'probe-1.example', port: 80 });
  assert.equal(formatListen({ host: '::1', port: 8080 }), '[::1]:8080');
});

test('a wrong listen address is named with its value', () => {
  for (const text of [
    '',
    'abc',
    '1.2.3.4',
    ':8080',
    '::1:8080',
    '[1.2.3.4]:80',
    '1.2.3.400:80',
    'a b:80',
    '127.0.0.1:',
  ]) {
    assert.throws(
      () => parseListen(text),
      (error: Error) => error instanceof RangeError && error.message.includes(`"${text}"`),
      text,
    );
  }
  assert.throws(() => parseListen('127.0.0.1:65536'), /port 65536 is above 65535/);
});

test('loopback addresses are known in all their spellings', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'example.org', '127.evil.example']) {
    assert.ok(!isLoopback(host), host);
  }
});

test('only names that cannot have been rebound are taken as host', () => {
  const listen = { host: '10.0.0.5' };
  for (const host of ['10.0.0.5:8080', '127.0.0.1:1', 'localhost', '[::1]:8080', 'probe.example']) {
    assert.ok(isHostAllowed(host, listen, ['probe.example']), host);
  }
  for (const host of [
    undefined,
    '',
    'evil.example',
    '10.0.0.6',
    'a@10.0.0.5',
    '10.0.0.5:80:80',
    '10.0.0.5.evil.example',
  ]) {
    assert.ok(!isHostAllowed(host, listen, ['probe.example']), host);
  }
  assert.ok(
    isHostAllowed('192.0.2.7:8080', { host: '0.0.0.0' }, []),
    'a literal, when all addresses are listened on',
  );
  assert.ok(!isHostAllowed('evil.example', { host: '::' }, []));
});

test('a token is compared whole, and one too short is refused without being shown', () => {
  const check = tokenCheck('correct horse battery', 8080);
  assert.ok(check.isToken('correct horse battery'));
  for (const wrong of [undefined, '', 'correct', 'correct horse batterx', 'correct horse battery ']) {
    assert.ok(!check.isToken(wrong));
  }
  assert.ok(!check.cookieValue.includes('correct'));
  assert.throws(
    () => tokenCheck('secret', 8080),
    (error: Error) => error instanceof RangeError && !error.message.includes('secret'),
  );
});
