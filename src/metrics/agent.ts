/** The agent's metrics: who it is, its epochs and its sinks. */
import type { Audit, Status } from '../query/index.ts';
import { counter, type Family, gauge, labelText } from './exposition.ts';

/** What `/api/v1/status` and the head of `/api/v1/audit` say, as families. */
export function agentFamilies({ agent, epoch, atMs }: Audit, status: Status): Family[] {
  const { version, namespace, startedMs, intervalSeconds, records, flowCapacity, flows } = status;
  const one = (value: number) => [{ labels: '', value }];
  const labels = labelText({ agent, version, namespace: namespace ?? '' });
  return [
    gauge('agent_info', 'Always 1; the agent is named by its labels, anew at each start.', [
      { labels, value: 1 },
    ]),
    gauge('start_time_seconds', 'When the agent started, Unix time.', one(startedMs / 1000)),
    counter('epochs_total', 'Epochs closed since the start.', one(epoch)),
    gauge('epoch_end_time_seconds', 'End of the newest epoch, Unix time.', one(atMs / 1000)),
    gauge('epoch_interval_seconds', 'Length of an epoch as it was asked for.', one(intervalSeconds)),
    gauge('epoch_records', 'Flow records in the newest epoch, over all observation points.', one(records)),
    gauge('flow_capacity', 'Flows the kernel keeps per epoch; of wide keys (IPv6) half.', one(flowCapacity)),
    gauge('view_uniflows', 'Uniflows the live view holds.', one(flows)),
    ...sinkFamilies(status),
    ...historyFamilies(status),
  ];
}

/** Only where a history is kept. */
function historyFamilies({ history }: Status): Family[] {
  if (!history) return [];
  const { storedUpToMs, spoolOctets, maxSpoolOctets, dropped, failing } = history;
  const one = (value: number) => [{ labels: '', value }];
  return [
    gauge(
      'history_stored_up_to_seconds',
      'End of the newest epoch in the store, Unix time; absent until one was stored since the start.',
      storedUpToMs === null ? [] : one(storedUpToMs / 1000),
    ),
    gauge('history_spool_octets', 'Octets on disk that wait for the store.', one(spoolOctets)),
    gauge('history_spool_capacity_octets', 'Octets that may wait for the store.', one(maxSpoolOctets)),
    counter('history_dropped_epochs_total', 'Epochs there was no room for.', one(dropped.epochs)),
    counter('history_dropped_packets_total', 'Packets in these.', one(dropped.packets)),
    counter('history_dropped_octets_total', 'Octets in these.', one(dropped.octets)),
    gauge('history_failing', '1 while nothing can be stored or written down.', one(failing ? 1 : 0)),
  ];
}

function sinkFamilies({ sinks }: Status): Family[] {
  return [
    counter(
      'sink_epochs_total',
      'Epochs by what became of them in a sink.',
      sinks.flatMap(({ name, written, failed, dropped }) =>
        Object.entries({ written, failed, dropped }).map(([outcome, value]) => ({
          labels: labelText({ sink: name, outcome }),
          value,
        })),
      ),
    ),
    gauge(
      'sink_waiting_epochs',
      'Epochs that wait for a sink now.',
      sinks.map(({ name, waiting }) => ({ labels: labelText({ sink: name }), value: waiting })),
    ),
  ];
}
