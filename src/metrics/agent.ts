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
