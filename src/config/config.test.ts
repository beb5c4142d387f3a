import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ConfigFileError,
  formatConfiguration,
  jsonSchema,
  meterConfigOf,
  parseConfigFile,
  type Resolved,
  resolveConfiguration,
} from './index.ts';

function read(text: string): Resolved {
  return resolveConfiguration({ file: parseConfigFile('/etc/ts.yaml', text) });
}

/** What is said of a file that cannot be used, its name left out. */
function faults(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigFileError)
      return error.message.split('\n').map((line) => line.replace('/etc/ts.yaml:', ''));
    throw error;
  }
  return [];
}

test('an empty file is a whole configuration', () => {
  for (const text of ['', '# nothing\n', '{}', 'rules:\nserve:\n']) {
    const { configuration } = read(text);
    assert.deepEqual(configuration, resolveConfiguration().configuration);
    assert.equal(configuration.interval, 1000);
    assert.deepEqual(configuration.serve.listen, { host: '127.0.0.1', port: 8080 });
    assert.equal(configuration.log.size, 10_000_000);
  }
});

test('each value arrives where it belongs, in its unit', () => {
  const { configuration } = read(`
name: east
interfaces: [eth0, '+vxlan*']
namespace: blue
interval: 1m30s
flows: 4096
hook: clsact
ports:
  vxlan: [4789, 4790]
  l2tp: []
rules:
  - 1.1.1.1 2.2.2.2 - 22 TCP
  - tunnel = vxlan and src in 10.0.0.0/8
serve: { listen: none }
log:
  size: 64KiB
  data: { file: values.log, count: 3 }
control: { group: adm }
metrics: { labels: [interface, hosts], series: 50, idle: 1m, legacy: true, runTime: true }
measure:
  what: [tcp]
  sequence: { pattern: 0xE7A5C318, offset: 4 }
`);
  const { measure, rules, ...metering } = meterConfigOf(configuration);
  assert.deepEqual(
    rules,
    configuration.rules.map(({ filter }) => filter),
  );
  assert.deepEqual([measure?.measurements, measure?.resetMs], [['tcp', 'arrivals', 'sequence'], 2000]);
  const { udp, offset, pattern } = measure!.sequence!;
  assert.deepEqual([udp[0]!.form, offset, pattern], ['pattern', 4, 0xe7a5c318]);
  assert.deepEqual(metering, {
    interfaces: ['eth0', '+vxlan*'],
    intervalMs: 90_000,
    ports: { vxlan: [4789, 4790], l2tp: [] },
    flowCapacity: 4096,
    hook: 'clsact',
    namespace: 'blue',
    runStatistics: true,
  });
  assert.deepEqual(configuration.metrics, {
    labels: ['interface', 'hosts'],
    series: 50,
    idle: 60_000,
    legacy: true,
    runTime: true,
  });
  assert.deepEqual(
    configuration.rules.map(({ text, filter }) => [text, filter.kind]),
    [
      ['1.1.1.1 2.2.2.2 - 22 TCP', 'and'],
      ['tunnel = vxlan and src in 10.0.0.0/8', 'and'],
    ],
  );
  assert.equal(configuration.serve.listen, 'none');
  assert.equal(configuration.log.size, 65_536);
  assert.equal(configuration.log.data.file, '/etc/values.log', 'from the file it stands in');
  assert.equal(configuration.measure.sequence.pattern, 0xe7a5c318);
});

test('an alert is what it says, in octets, packets or flows', () => {
  const { alerts } = read(`
alerts:
  - { name: a, above: 1Gbit/s }
  - { name: b, above: 100MB/s, filter: tunnel = vxlan, by: outer.src, for: 1m }
  - { name: c, below: 1.5kpkt/s, quantity: packets, webhook: 'https://h.example/x?y=1' }
  - { name: d, above: 5k, quantity: flows }
  - { name: e, above: 0, quantity: flows }
`).configuration;
  assert.deepEqual(
    alerts.map(({ filter: _, ...rest }) => rest),
    [
      { name: 'a', quantity: 'octets', by: undefined, bound: 'above', threshold: 125e6, forMs: 30_000 },
      { name: 'b', quantity: 'octets', by: 'outer.src', bound: 'above', threshold: 100e6, forMs: 60_000 },
      { name: 'c', quantity: 'packets', by: undefined, bound: 'below', threshold: 1500, forMs: 30_000 },
      { name: 'd', quantity: 'flows', by: undefined, bound: 'above', threshold: 5000, forMs: 30_000 },
      { name: 'e', quantity: 'flows', by: undefined, bound: 'above', threshold: 0, forMs: 30_000 },
    ].map((each, i) => ({
      ...each,
      filterText: i === 1 ? 'tunnel = vxlan' : '',
      webhook: i === 2 ? 'https://h.example/x?y=1' : undefined,
    })),
  );
  assert.deepEqual(
    alerts.map(({ filter }) => filter.kind === 'any'),
    [true, false, true, true, true],
  );
});

test('what is wrong with an alert is said with its key and value', () => {
  const wrong = [
    ['{ name: x, above: 1Gbit }', 'alerts[0].above: "1Gbit" is not a rate such as 1Gbit/s or 100MB/s'],
    [
      '{ name: x, above: 1bit/s, quantity: packets }',
      'alerts[0].above: "1bit/s" is not a rate of packets such as 10kpkt/s',
    ],
    ['{ name: x, below: 0B/s }', 'alerts[0].below: "0B/s" is not more than 0, below which there is nothing'],
    ['{ name: x }', 'alerts[0].above: nothing is not a threshold: one of above and below is needed'],
    [
      '{ name: x, above: 1B/s, below: 1B/s }',
      'alerts[0].below: "1B/s" is not needed: above is a threshold already',
    ],
    ['{ name: x, above: 1B/s, fro: 1s }', 'alerts[0]: there is no key "fro"; did you mean "for"?'],
    [
      '{ name: x, above: 1B/s, filter: dprot 4 }',
      'alerts[0].filter: column 1 of the filter: no field, address or protocol: "dprot"; did you mean "dport"?',
    ],
    [
      '{ name: x, above: 1B/s, filter: iface eth0 }',
      'alerts[0].filter: column 1 of the filter: "iface" is of one observation point, and a view joins them',
    ],
    [
      '{ name: x, above: 1B/s, by: sport }',
      'alerts[0].by: "sport" is not one of segment, src, dst, outer.src, outer.dst',
    ],
    [
      "{ name: x, above: 1B/s, webhook: 'file:///etc/passwd' }",
      'alerts[0].webhook: "file:///etc/passwd" is not an address of http or https, without user and password',
    ],
    [
      '{ name: x, above: 1B/s }, { name: x, above: 1B/s }',
      'alerts[1].name: "x" is not another name than that of an alert before it',
    ],
  ] as const;
  for (const [text, said] of wrong)
    assert.deepEqual(
      faults(`alerts: [${text}]\n`).map((line) => line.replace(/^\d+:\d+: /, '')),
      [said],
    );
  const many = Array.from({ length: 33 }, (_, i) => `{ name: a${i}, above: 1B/s }`).join(', ');
  assert.match(faults(`alerts: [${many}]\n`).join(), /alerts: a list is not a list of at most 32/);
});

test('an unknown key is said with its place and the nearest one there is', () => {
  assert.deepEqual(faults('name: a\nintervall: 2s\n'), [
    '2:1: there is no key "intervall"; did you mean "interval"?',
  ]);
  assert.deepEqual(faults('serve:\n  lisen: 80\n'), [
    '2:3: serve: there is no key "lisen"; did you mean "listen"?',
  ]);
  assert.match(
    faults('ports: { quic: [443] }')[0]!,
    /^1:10: ports: there is no key "quic"; there are vxlan, /,
  );
  assert.match(faults('intervall:\n')[0]!, /no key "intervall"/);
  assert.match(faults('__proto__: { interval: 5s }\n')[0]!, /no key/);
});

test('a value that cannot be used is said with place, key, value and what was wanted, all of them at once', () => {
  assert.deepEqual(
    faults(`interval: soon
hook: xdp
flows: 3
serve:
  listen: nowhere:x
  auth: yes please
ports:
  vxlan: [4789, 99999]
interfaces: eth0
log: [1]
`),
    [
      '1:11: interval: "soon" is not a duration such as 5s, 500ms or 1m30s',
      '2:7: hook: "xdp" is not one of auto, tcx, clsact',
      '3:8: flows: "3" is not a whole number from 16 to 16777216',
      '5:11: serve.listen: "nowhere:x" is not an address to listen on such as 127.0.0.1:8080, 8080 or [::1]:8080',
      '6:9: serve.auth: "yes please" is not true or false',
      '8:17: ports.vxlan[1]: "99999" is not a whole number from 1 to 65535',
      '9:13: interfaces: "eth0" is not a list',
      '10:6: log: a list is not a section with keys of its own',
    ],
  );
});

test('a mistake in a rule is pointed at in the file and in the rule', () => {
  assert.deepEqual(faults('rules:\n  - tunnel = vxlan and prot = tcp\n'), [
    '2:24: rules[0]: column 20 of the rule: unknown field "prot"; did you mean "port"?',
  ]);
  const [quoted] = faults("rules: ['- - - 22 TPC']\n");
  assert.match(quoted!, /^1:19: rules\[0\]: column 10 of the rule: "TPC" is not .*; did you mean "tcp"\?$/);
  assert.match(faults('rules: ["- - - 22"]')[0]!, /column 9 of the rule: expected PROTOCOL or -/);
});

test('what is no YAML is said with its place', () => {
  assert.match(faults('a: b: c\n')[0]!, /^1:\d+: /);
  assert.match(faults('interval: 1s\ninterval: 2s\n')[0]!, /^2:1: Map keys must be unique/);
  assert.match(faults('- a\n')[0]!, /^1:1: this is not a list of keys/);
  assert.match(faults('name: !secret x\n')[0]!, /^1:7: Unresolved tag/);
  assert.match(faults(`a: &a [${'x,'.repeat(20)}]\n${'b: [*a]\n'}`)[0]!, /there is no key "a"/);
});

test('flags override the file, the file overrides the defaults, and each value knows where it came from', () => {
  const file = parseConfigFile(
    '/etc/ts.yaml',
    'interval: 2s\nflows: 100\nports: { vxlan: [1], geneve: [2] }\n',
  );
  const resolved = resolveConfiguration({
    file,
    flags: {
      tree: { interval: '3s', ports: { vxlan: [7] } },
      names: { interval: '--interval', ports: '--tunnel-ports' },
    },
  });
  const { interval, flows, hook, ports } = resolved.configuration;
  assert.deepEqual([interval, flows, hook, ports.vxlan, ports.geneve], [3000, 100, 'auto', [7], [2]]);
  assert.equal(resolved.origin(['interval']), '--interval');
  assert.equal(resolved.origin(['flows']), '/etc/ts.yaml:2');
  assert.equal(resolved.origin(['hook']), 'default');
  assert.equal(resolved.origin(['ports', 'vxlan']), '--tunnel-ports');
  assert.equal(resolved.origin(['ports', 'geneve']), '/etc/ts.yaml:3');
  const printed = formatConfiguration(resolved, { withOrigins: true });
  assert.match(printed, /^interval: 3s # --interval$/m);
  assert.match(printed, /^flows: 100 # \/etc\/ts\.yaml:2$/m);
});

test('a flag that is wrong is said by its name, also where the file is wrong too', () => {
  const file = parseConfigFile('/etc/ts.yaml', 'flows: 1\n');
  const flags = { tree: { interval: 'soon' }, names: { interval: '--interval' } };
  assert.throws(
    () => resolveConfiguration({ file, flags }),
    /^ConfigError: --interval: "soon" is not a duration/,
  );
});

test('what is printed reads back as the same configuration', () => {
  const first = read(
    'rules: ["- - - - -", "[1.1.1.1, ::1] - - ! 22 tcp"]\ninterfaces: ["*"]\nmeasure: {sequence: {pattern: "0x0000FFFF"}}',
  );
  for (const withOrigins of [true, false]) {
    const again = read(formatConfiguration(first, { withOrigins }));
    assert.deepEqual(again.configuration, first.configuration);
  }
});

test("the reference's config.json is read as it is shipped", () => {
  const shipped =
    '{ "RULES": ["- - - - -"], "PATTERN": "0xE7A5C318", "OFFSET": 4, "SEQUENCE_THRESHOLD": 2, "EXAMPLES": ["x"] }';
  const { configuration, file } = read(shipped);
  assert.equal(file!.isLegacy, true);
  assert.deepEqual(
    configuration.rules.map(({ filter }) => filter),
    [{ kind: 'any' }],
  );
  assert.deepEqual(configuration.measure.sequence, { pattern: 0xe7a5c318, offset: 4, threshold: 2 });
});

test("the reference's words for off are off, and its later keys are read", () => {
  const { configuration } = read(`{
  "RULES": [], "PATTERN": "0xFFFFFFFF", "OFFSET": -1, "SEQUENCE_THRESHOLD": 3,
  "DISPLAY": { "Throughput": "True", "Goodput": "False", "Jitter": "False", "SEQ_ERRORS": "True" },
  "MONITOR_SERVER": "False", "LOG_DATA": "True" }`);
  assert.deepEqual(configuration.measure.sequence, { threshold: 3 });
  assert.deepEqual(configuration.measure.display, ['throughput', 'sequence']);
  assert.equal(configuration.serve.listen, 'none');
  assert.equal(configuration.log.data.file, '/etc/monitor.log');
  assert.equal(read('{"MONITOR_SERVER": 9000}').configuration.serve.listen !== 'none', true);
  assert.equal(read('{"LOG_DATA": "False"}').configuration.log.data.file, undefined);
});

test("mistakes in the reference's config.json are said by its own keys and places", () => {
  assert.deepEqual(faults('{\n  "RULES": [],\n  "PATERN": "0x1" }'), [
    `3:3: "PATERN" is no key of the reference's config.json; did you mean "PATTERN"?`,
  ]);
  assert.match(
    faults('{"RULES": [],\n "LOG_DATA": []}')[0]!,
    /^2:2: LOG_DATA: \[\] is not "True", "False" or/,
  );
  assert.match(faults('{\n"RULES": ["- - - 22 TCPX"]}')[0]!, /^2:21: rules\[0\]: column 10 of the rule/);
  assert.match(faults('{\n"OFFSET": -7}')[0]!, /^2:11: measure\.sequence\.offset: "-7" is not/);
});

test('no text makes the reader fail otherwise than with places', () => {
  const key = fc.constantFrom(
    'interval',
    'rules',
    'serve',
    'ports',
    'RULES',
    'OFFSET',
    'log',
    '__proto__',
    'x',
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      tie('map'),
    ),
    map: fc.dictionary(key, tie('any'), { maxKeys: 3 }),
  })).map;
  const text = fc.oneof(
    fc.string(),
    value.map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(text, (each) => {
      for (const line of faults(each)) assert.match(line, /^\d+:\d+: /);
    }),
    { numRuns: 500 },
  );
});

test('the JSON Schema that is published is what the schema gives', () => {
  const published = readFileSync(new URL('../../docs/tunnelscope.schema.json', import.meta.url), 'utf8');
  assert.equal(published, `${JSON.stringify(jsonSchema(), undefined, 2)}\n`, 'node tools/config-schema.ts');
});
