/** The gateway on real interfaces, run by its command: B1's list, and what was wrong with the gateway it follows. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, clientMac, GatewayScene, NAME, outcome, ping, tag } from './gateway-scene.ts';

let scene: GatewayScene;

before(async () => {
  scene = await GatewayScene.open();
});

after(async () => {
  await scene[Symbol.asyncDispose]();
});

test('a client on a VLAN reaches its worker, and the worker the client', async () => {
  await scene.setTags(1, tag(5));
  scene.write({ clients: [{ mac: clientMac(1), worker: 'veth1' }] });
  const running = await scene.start();
  assert.equal(ping(client(1)), 2);
  const shown = await scene.show();
  assert.equal(shown.name, NAME);
  assert.deepEqual(shown.clients[0]?.tags, [tag(5)]);
  assert.ok(outcome(shown, 'to-worker') >= 2);
  await scene.stop(running);
});
