/**
 * `/metrics`: the audit and the state of the agent for Prometheus, in its text format or as OpenMetrics.
 *
 * Each answer has a registry of its own, filled with what the audit holds, so that what is gone there is gone here. No
 * label comes from a packet: docs/metrics.md says how many series there can be.
 */
import {
  Counter,
  Gauge,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from 'prom-client';
import type { Audit, AuditPart, AuditPoint, Status } from '../query/index.ts';

/** Media types of the two forms. */
export const METRICS_TYPES = ['text/plain', 'application/openmetrics-text'] as const;

/** An exposition as it goes over the wire. */
export interface Metrics {
  readonly contentType: string;
  readonly text: string;
}

/** Formats one exposition; counters are since the agent's start, exact up to 2^53. */
export async function formatMetrics(
  { audit, status }: { readonly audit: Audit; readonly status: Status },
  type: (typeof METRICS_TYPES)[number],
): Promise<Metrics> {
  const contentType: PrometheusContentType | OpenMetricsContentType =
    type === 'text/plain' ? Registry.PROMETHEUS_CONTENT_TYPE : Registry.OPENMETRICS_CONTENT_TYPE;
  const registry = new Registry<typeof contentType>();
  registry.setContentType(contentType);
  const exposition = new Exposition(registry);
  addAgent(exposition, audit, status);
  addSinks(exposition, status);
  addPoints(exposition, audit.points);
  return { contentType, text: await registry.metrics() };
}

type Labels = Readonly<Record<string, string>>;

/** A family: its name without `tunnelscope_`, what it is, and the labels that tell its values apart. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Families of metrics in the order they are added. */
class Exposition {
  readonly #registry: Registry<PrometheusContentType | OpenMetricsContentType>;

  constructor(registry: Registry<PrometheusContentType | OpenMetricsContentType>) {
    this.#registry = registry;
  }

  counter(family: Family, samples: readonly Sample[]): void {
    const counter = new Counter(this.#named(family));
    for (const { labels, value } of samples) counter.inc(labels, value);
  }

  gauge(family: Family, samples: readonly Sample[]): void {
    const gauge = new Gauge(this.#named(family));
    for (const { labels, value } of samples) gauge.set(labels, value);
  }

  #named({ name, help, labels = [] }: Family) {
    return { name: `tunnelscope_${name}`, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

function addAgent(to: Exposition, { agent, epoch, atMs }: Audit, status: Status): void {
  const { version, namespace, startedMs, intervalSeconds, records, flowCapacity, flows } = status;
  const gauge = (name: string, help: string, value: number): void =>
    to.gauge({ name, help }, [{ labels: {}, value }]);
  to.gauge(
    {
      name: 'agent_info',
      help: 'Always 1; the agent is named by its labels, anew at each start.',
      labels: ['agent', 'version', 'namespace'],
    },
    [{ labels: { agent, version, namespace: namespace ?? '' }, value: 1 }],
  );
  gauge('start_time_seconds', 'When the agent started, Unix time.', startedMs / 1000);
  to.counter({ name: 'epochs_total', help: 'Epochs closed since the start.' }, [
    { labels: {}, value: epoch },
  ]);
  gauge('epoch_end_time_seconds', 'End of the newest epoch, Unix time.', atMs / 1000);
  gauge('epoch_interval_seconds', 'Length of an epoch as it was asked for.', intervalSeconds);
  gauge('epoch_records', 'Flow records in the newest epoch, over all observation points.', records);
  gauge('flow_capacity', 'Flows the kernel keeps per epoch; of wide keys (IPv6) half.', flowCapacity);
  gauge('view_uniflows', 'Uniflows the live view holds.', flows);
}

function addSinks(to: Exposition, { sinks }: Status): void {
  to.counter(
    {
      name: 'sink_epochs_total',
      help: 'Epochs by what became of them in a sink.',
      labels: ['sink', 'outcome'],
    },
    sinks.flatMap(({ name, written, failed, dropped }) =>
      Object.entries({ written, failed, dropped }).map(([outcome, value]) => ({
        labels: { sink: name, outcome },
        value,
      })),
    ),
  );
  to.gauge(
    { name: 'sink_waiting_epochs', help: 'Epochs that wait for a sink now.', labels: ['sink'] },
    sinks.map(({ name, waiting }) => ({ labels: { sink: name }, value: waiting })),
  );
}

/** What tells one observation point from another. A name is not enough: an interface made anew begins at 0. */
const PLACE = ['interface', 'ifindex', 'direction'] as const;

/** Families that every observation point has, as its part of what was seen. */
const SUMS = [
  ['seen', 'seen by the hook', ({ sinceStart }: AuditPoint) => sinceStart.seen],
  ['recorded', 'in flow records', ({ sinceStart }: AuditPoint) => sinceStart.recorded],
  [
    'overflow',
    'in flow records without detail, because the flow table was full; part of recorded',
    ({ sinceStart }: AuditPoint) => sinceStart.overflow,
  ],
] as const;

const MEASURES = [
  ['packets', 'Frames'],
  ['octets', 'Octets'],
] as const;

function addPoints(to: Exposition, points: readonly AuditPoint[]): void {
  to.gauge(
    {
      name: 'observation_point',
      help: 'An interface in one direction: 1 while it is metered, 0 once it is gone.',
      labels: [...PLACE, 'kind', 'primary'],
    },
    points.map((point) => ({
      labels: { ...placeOf(point), kind: point.kind, primary: String(point.primary) },
      value: Number(point.present),
    })),
  );
  for (const [measure, words] of MEASURES) addMeasure(to, points, { measure, words });
}

function addMeasure(
  to: Exposition,
  points: readonly AuditPoint[],
  { measure, words }: { readonly measure: 'packets' | 'octets'; readonly words: string },
): void {
  for (const [name, meaning, of] of SUMS) {
    to.counter(
      {
        name: `${name}_${measure}_total`,
        help: `${words} ${meaning}, as the network stack held them.`,
        labels: PLACE,
      },
      points.map((point) => ({ labels: placeOf(point), value: of(point)[measure] })),
    );
  }
  to.counter(
    {
      name: `ledger_${measure}_total`,
      help: `${words} in no flow record, by reason, as the network stack held them.`,
      labels: [...PLACE, 'reason'],
    },
    points.flatMap((point) => ledgerOf(point, measure)),
  );
  to.gauge(
    {
      name: `unexplained_${measure}`,
      help: `${words} since the start that do not add up: by the flows, seen less recorded and ledger; by the interface, counted less seen.`,
      labels: [...PLACE, 'by'],
    },
    points.flatMap((point) => unexplainedOf(point, measure)),
  );
  to.gauge(
    {
      name: `persistent_unexplained_${measure}`,
      help: `${words} of the unexplained that stand for several epochs; anything but 0 is a warning.`,
      labels: PLACE,
    },
    points.map((point) => ({ labels: placeOf(point), value: point.persistent[measure] })),
  );
}

function placeOf({ interfaceName, ifindex, direction }: AuditPoint): Record<(typeof PLACE)[number], string> {
  return { interface: interfaceName, ifindex: String(ifindex), direction };
}

/** By reason, summed over the levels of tunnels. */
function ledgerOf(point: AuditPoint, measure: 'packets' | 'octets'): Sample[] {
  const sums = new Map<string, number>();
  for (const line of point.sinceStart.ledger) {
    sums.set(line.reason, (sums.get(line.reason) ?? 0) + line[measure]);
  }
  return [...sums].map(([reason, value]) => ({ labels: { ...placeOf(point), reason }, value }));
}

/** Where the interface does not tell what it counted there is nothing to say, not 0. */
function unexplainedOf(point: AuditPoint, measure: 'packets' | 'octets'): Sample[] {
  const { inside, outside, counted } = point.sinceStart;
  const sample = (by: string, part: AuditPart): Sample => ({
    labels: { ...placeOf(point), by },
    value: part[measure],
  });
  return [sample('flows', inside), ...(counted ? [sample('interface', outside)] : [])];
}
