import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { readGatewayConfig } from './gateway.ts';
import { CLIENTS_OF_WORKER } from './gateway-config.ts';
import { decodeClient, encodeClient, macKey } from './gateway-table.ts';
import { tagsOf, tagWord, usualTags, vidsText } from './gateway-tags.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsgw-config-'));
const FILE = join(directory, 'gateway.yaml');

after(() => rmSync(directory, { recursive: true }));

function read(text: string): ReturnType<typeof readGatewayConfig> {
  writeFileSync(FILE, text);
  return readGatewayConfig(FILE);
}

/** Messages without the file's name. */
function mistakes(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(FILE, ''));
  }
  return [];
}

test('a file has all that is said, and defaults for the rest', () => {
  const config = read(`
trunk: eth0
clients:
  - { mac: 02:00:00:00:00:01, worker: veth1, vlan: 5, allowed: [5, 15, "100-102"] }
  - { mac: 02-00-00-00-00-0A, worker: veth1, default: [100, 5] }
  - { mac: 02:00:00:00:00:03, worker: veth2, vlan: { vid: 7, pcp: 3, dei: true, protocol: 0x88a8 } }
moves: { limit: 2 }
`);
  assert.deepEqual(config, {
    trunk: 'eth0',
    clients: [
      {
        mac: '02:00:00:00:00:01',
        worker: 'veth1',
        tags: usualTags([5]),
        isFixed: true,
        allowed: [5, 15, 100, 101, 102],
      },
      {
        mac: '02:00:00:00:00:0a',
        worker: 'veth1',
        tags: [
          { vid: 100, pcp: 0, dei: false, protocol: 0x88a8 },
          { vid: 5, pcp: 0, dei: false, protocol: 0x8100 },
        ],
        isFixed: false,
        allowed: undefined,
      },
      {
        mac: '02:00:00:00:00:03',
        worker: 'veth2',
        tags: [{ vid: 7, pcp: 3, dei: true, protocol: 0x88a8 }],
        isFixed: true,
        allowed: undefined,
      },
    ],
    ageingMs: 300_000,
    capacity: 4096,
    moves: { limit: 2, periodMs: 10_000 },
  });
});

const CLIENT = 'mac: 02:00:00:00:00:01, worker: veth1';

for (const [what, text, ...wanted] of [
  ['no trunk', 'clients: []', /trunk: nothing is not the name of an interface/],
  [
    'a group',
    'trunk: eth0\nclients: [{ mac: "ff:ff:ff:ff:ff:ff", worker: w }]',
    /^:2:\d+: clients\[0\]\.mac: "ff:ff:ff:ff:ff:ff" is not the MAC address of one interface/,
  ],
  [
    'no VLAN',
    `trunk: eth0\nclients: [{ ${CLIENT}, vlan: 0 }]`,
    /clients\[0\]\.vlan: "0" is not a VLAN from 1 to 4094, a list of two/,
  ],
  [
    'three tags',
    `trunk: eth0\nclients: [{ ${CLIENT}, vlan: [1, 2, 3] }]`,
    /clients\[0\]\.vlan: a list is not a VLAN from 1 to 4094, a list of two/,
  ],
  [
    'a range that runs backwards',
    `trunk: eth0\nclients: [{ ${CLIENT}, allowed: ["20-10"] }]`,
    /allowed\[0\]: "20-10" is not a list of VLANs from 1 to 4094 and ranges/,
  ],
  [
    'both kinds of VLAN',
    `trunk: eth0\nclients: [{ ${CLIENT}, vlan: 5, default: 6 }]`,
    /default: "6" is not of use beside "vlan"/,
  ],
  [
    'a VLAN that is not among those allowed',
    `trunk: eth0\nclients: [{ ${CLIENT}, vlan: 5, allowed: [6] }]`,
    /vlan: "5" is not among its "allowed" VLANs/,
  ],
  [
    'the same client twice',
    `trunk: eth0\nclients: [{ ${CLIENT} }, { ${CLIENT} }]`,
    /clients\[1\]\.mac: "02:00:00:00:00:01" is not new: a client before has it/,
  ],
  [
    'the trunk as a worker',
    'trunk: veth1\nclients: [{ mac: 02:00:00:00:00:01, worker: veth1 }]',
    /worker: "veth1" is not a worker but the trunk/,
  ],
  [
    'a word that was meant otherwise',
    `trunk: eth0\nclients: [{ ${CLIENT} }]\nmove: {}`,
    /there is no key "move"; did you mean "moves"\?/,
  ],
  [
    'a word that was meant otherwise in a client',
    `trunk: eth0\nclients: [{ ${CLIENT}, vlans: 5 }]`,
    /clients\[0\]: there is no key "vlans"; did you mean "vlan"\?/,
  ],
] as const)
  test(`of ${what} a file is told with place, value and remedy`, () => {
    const found = mistakes(text);
    assert.equal(found.length, wanted.length, found.join('\n'));
    for (const [i, each] of wanted.entries()) assert.match(found[i]!, each);
  });

test('a worker has so many clients and no more', () => {
  const clients = (count: number): string =>
    Array.from(
      { length: count },
      (_, i) => `  - { mac: "02:00:00:00:01:${i.toString(16).padStart(2, '0')}", worker: w }`,
    ).join('\n');
  assert.equal(
    read(`trunk: eth0\nclients:\n${clients(CLIENTS_OF_WORKER)}`).clients.length,
    CLIENTS_OF_WORKER,
  );
  const [found, ...more] = mistakes(`trunk: eth0\nclients:\n${clients(CLIENTS_OF_WORKER + 1)}`);
  assert.match(found!, /clients\[64\]\.worker: "w" is not free: a worker has at most 64 clients/);
  assert.deepEqual(more, []);
});

const tag = fc.record(
  {
    vid: fc.integer({ min: 0, max: 4095 }),
    pcp: fc.integer({ min: 0, max: 7 }),
    dei: fc.boolean(),
    protocol: fc.constantFrom(0x8100, 0x88a8),
  },
  { noNullPrototype: true },
);

test('tags survive their word, and a client its row', () => {
  const stack = fc.array(tag, { minLength: 1, maxLength: 2 });
  fc.assert(fc.property(stack, (tags) => assert.deepEqual(tagsOf(tagWord(tags)), tags)));
  const vids = fc.uniqueArray(fc.integer({ min: 1, max: 4094 }), { maxLength: 50 });
  const row = fc.record(
    {
      mac: fc.constant('02:00:00:00:00:0a'),
      worker: fc.constantFrom('v', 'fifteen-letters'),
      tags: fc.option(stack, { nil: undefined }),
      isFixed: fc.boolean(),
      allowed: fc.option(
        vids.map((each) => each.toSorted((a, b) => a - b)),
        { nil: undefined },
      ),
      isAdded: fc.boolean(),
      slot: fc.nat(65_535),
      workerIndex: fc.nat(),
      trunkIndex: fc.nat(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(row, (each) => assert.deepEqual(decodeClient(macKey(each.mac), encodeClient(each)), each)),
  );
  assert.equal(tagsOf(0n), undefined);
});

test('VLANs read as ranges', () => {
  assert.equal(vidsText([1, 2, 3, 5, 7, 8, 4094]), '1–3, 5, 7, 8, 4094');
});
