import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '../flow/batch.fixture.ts';
import { part, auditPoint as point, auditSpan as span } from '../query/audit.fixture.ts';
import type { Audit, AuditPoint, Status } from '../query/index.ts';
import { agentFamilies } from './agent.ts';
import { auditFamilies } from './audit.ts';
import { type ReadFamily, readExposition } from './exposition.fixture.ts';
import { type Exposition, type Family, type MetricsType, writeExposition } from './exposition.ts';
import { ownFamilies } from './own.ts';
import { Traffic } from './traffic.ts';

function sources(points: readonly AuditPoint[]): { audit: Audit; status: Status } {
  const audit: Audit = {
    agent: 'abc',
    epoch: 42,
    atMs: 1_700_000_001_500,
    persistentEpochs: 5,
    points: [...points],
    persistent: { packets: 0, octets: 0 },
  };
  const status: Status = {
    version: '0.1.0',
    agent: 'abc',
    hostname: 'here',
    startedMs: 1_700_000_000_000,
    nowMs: 1_700_000_002_000,
    intervalSeconds: 1,
    namespace: null,
    interfaces: [],
    unexplained: [],
    flows: 5,
    records: 9,
    flowCapacity: 1024,
    rules: null,
    history: {
      directory: '/h',
      storedUpToMs: 1_700_000_000_500,
      spoolOctets: 4096,
      maxSpoolOctets: 1_000_000,
      dropped: { epochs: 2, packets: 30, octets: 4000 },
      failing: { sinceMs: 1_700_000_000_000, message: 'the disk is full' },
    },
    sinks: [{ name: 'json', waiting: 1, written: 7, failed: 2, dropped: 3 }],
  };
  return { audit, status };
}

function formatMetrics({ audit, status }: ReturnType<typeof sources>, type: MetricsType): Exposition {
  return writeExposition([...agentFamilies(audit, status), ...auditFamilies(audit.points)], type);
}

function families(points: readonly AuditPoint[] = [point()]): Map<string, ReadFamily> {
  const { contentType, text } = formatMetrics(sources(points), 'text/plain');
  assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
  return readExposition(text, 'prometheus');
}

/** The values of a family by the labels named, in their order. */
function values(
  found: Map<string, ReadFamily>,
  name: string,
  ...labels: string[]
): (readonly [string, number])[] {
  const { samples } = found.get(`tunnelscope_${name}`) ?? assert.fail(`there is no ${name}`);
  return samples.map((sample) => [labels.map((label) => sample.labels[label]).join(' '), sample.value]);
}

test('what an observation point saw, where it is, and what is unexplained', () => {
  const found = families();
  const place = ['interface', 'ifindex', 'direction'];
  assert.deepEqual(values(found, 'seen_packets_total', ...place), [['eth0 2 ingress', 12]]);
  assert.deepEqual(values(found, 'seen_octets_total', ...place), [['eth0 2 ingress', 1200]]);
  assert.deepEqual(values(found, 'recorded_packets_total'), [['', 7]]);
  assert.deepEqual(values(found, 'overflow_octets_total'), [['', 200]]);
  assert.deepEqual(values(found, 'ledger_packets_total', 'reason'), [
    ['ipv4_truncated', 4],
    ['arp_truncated', 1],
  ]);
  assert.deepEqual(values(found, 'unexplained_packets', 'by'), [
    ['flows', 0],
    ['interface', -4],
  ]);
  assert.deepEqual(values(found, 'persistent_unexplained_octets', ...place), [['eth0 2 ingress', 400]]);
  assert.deepEqual(values(found, 'observation_point', 'kind', 'primary'), [['veth true', 1]]);
});

test('agent, epochs, tables and sinks', () => {
  const found = families();
  assert.deepEqual(values(found, 'agent_info', 'agent', 'version', 'namespace'), [['abc 0.1.0 ', 1]]);
  assert.deepEqual(values(found, 'epochs_total'), [['', 42]]);
  assert.deepEqual(values(found, 'start_time_seconds'), [['', 1_700_000_000]]);
  assert.deepEqual(values(found, 'epoch_end_time_seconds'), [['', 1_700_000_001.5]]);
  assert.deepEqual(values(found, 'epoch_records'), [['', 9]]);
  assert.deepEqual(values(found, 'flow_capacity'), [['', 1024]]);
  assert.deepEqual(values(found, 'view_uniflows'), [['', 5]]);
  assert.deepEqual(values(found, 'sink_epochs_total', 'sink', 'outcome'), [
    ['json written', 7],
    ['json failed', 2],
    ['json dropped', 3],
  ]);
  assert.deepEqual(values(found, 'sink_waiting_epochs', 'sink'), [['json', 1]]);
  const history = ['stored_up_to_seconds', 'spool_octets', 'spool_capacity_octets', 'failing'];
  assert.deepEqual(
    history.map((name) => values(found, `history_${name}`, 'none')[0]?.[1]),
    [1_700_000_000.5, 4096, 1_000_000, 1],
  );
});

test('both forms hold the same, and OpenMetrics says where it ends', () => {
  const all = sources([point(), point({ direction: 'egress', persistent: { packets: 0, octets: 0 } })]);
  const prometheus = readExposition(formatMetrics(all, 'text/plain').text, 'prometheus');
  const open = formatMetrics(all, 'application/openmetrics-text');
  assert.equal(open.contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const openMetrics = readExposition(open.text, 'openmetrics');
  const samplesOf = (found: Map<string, ReadFamily>) => [...found.values()].flatMap(({ samples }) => samples);
  assert.deepEqual(samplesOf(openMetrics), samplesOf(prometheus));
  assert.ok(samplesOf(prometheus).length > 30);
});

test('an interface made anew is a series of its own; nothing is added up or hidden', () => {
  const found = families([point(), point({ ifindex: 7, present: false })]);
  assert.deepEqual(values(found, 'observation_point', 'ifindex'), [
    ['2', 1],
    ['7', 0],
  ]);
  assert.deepEqual(values(found, 'seen_packets_total', 'ifindex'), [
    ['2', 12],
    ['7', 12],
  ]);
});

test('where an interface does not tell what it counted, there is no 0 that says all is well', () => {
  const found = families([point({ sinceStart: span({ counted: null, outside: part(0) }) })]);
  assert.deepEqual(values(found, 'unexplained_packets', 'by'), [['flows', 0]]);
});

test('names of interfaces are quoted, whatever they are, and large counts keep their digits', () => {
  const interfaceName = 'a"b\\c\nd';
  const seen = { packets: 2 ** 53 - 1, octets: 9_007_199_254_740_990 };
  const found = families([point({ interfaceName, sinceStart: span({ seen }) })]);
  assert.deepEqual(values(found, 'seen_packets_total', 'interface'), [[interfaceName, 2 ** 53 - 1]]);
  assert.deepEqual(values(found, 'seen_octets_total', 'interface'), [[interfaceName, 9_007_199_254_740_990]]);
});

test('the number of series is what the documentation says', () => {
  const count = (families: readonly Family[]): number =>
    [...readExposition(writeExposition(families, 'text/plain').text, 'prometheus').values()].reduce(
      (sum, { samples }) => sum + samples.length,
      0,
    );
  const { audit, status } = sources([]);
  const tables = ['narrow', 'wide', 'overflow', 'ledger'].map((name) => ({ name, used: 0, capacity: 1 }));
  const cost = { programs: undefined, tables, lagSeconds: 0, cpuSeconds: 0, residentOctets: 0 };
  const programs = [{ name: 'ts_ingress', runs: 1n, runTimeNs: 1n }];
  const plain = { ...status, history: null };
  assert.equal(count([...agentFamilies(audit, plain), ...ownFamilies(cost)]), 19 + 4);
  assert.equal(count(agentFamilies(audit, status)) - count(agentFamilies(audit, plain)), 7);
  assert.equal(count(ownFamilies({ ...cost, programs })) - count(ownFamilies(cost)), 2);
  assert.equal(count(auditFamilies([point()])), 13 + 2 * 2);
  const traffic = new Traffic({ labels: ['flows'], maxSeries: 10 });
  const flow = { between: ['10.0.0.1', '10.0.0.2'], octets: 1, packets: 1 } as const;
  traffic.write(batchOf(Array.from({ length: 50 }, (_, i) => ({ ...flow, ports: [i, i] as const }))));
  assert.equal(count(traffic.families()), 4 * 10 + 7);
});

test('before the first epoch there are no points, and it is valid all the same', () => {
  for (const [type, form] of [
    ['text/plain', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
  ] as const) {
    const found = readExposition(formatMetrics(sources([]), type).text, form);
    const { samples } = [...found.values()].find(({ name }) => name.startsWith('tunnelscope_seen_packets'))!;
    assert.deepEqual(samples, []);
  }
});
