/** Dashboard: what metering costs, and how much room it has. */
import { AGENT, type Board, rate } from './build.ts';

/** The agent itself. */
export const AGENT_BOARD: Board = {
  uid: 'tunnelscope-agent',
  title: 'Tunnelscope: the agent itself',
  description: 'What metering costs and how much room it has. Time per frame wants --run-time-statistics.',
  byInterface: false,
  panels: [
    {
      kind: 'number',
      title: 'Time per frame',
      description: 'In the kernel, both programs, with what the statistics themselves cost (some 20 ns).',
      unit: 's',
      queries: [
        {
          expr: `sum(${rate('program_run_seconds_total', AGENT)}) / (sum(${rate('program_runs_total', AGENT)}) > 0)`,
        },
      ],
    },
    {
      kind: 'number',
      title: 'CPU of the process',
      description: 'Of one CPU; all threads.',
      unit: 'percentunit',
      queries: [{ expr: `sum(rate(process_cpu_seconds_total{${AGENT},job="monitor"}[$__rate_interval]))` }],
    },
    {
      kind: 'number',
      title: 'Memory of the process',
      description: 'Resident.',
      unit: 'bytes',
      queries: [{ expr: `sum(process_resident_memory_bytes{${AGENT},job="monitor"})` }],
    },
    {
      kind: 'number',
      title: 'Running for',
      description: 'Since the newest start of any.',
      unit: 's',
      queries: [{ expr: `min(time() - tunnelscope_start_time_seconds{${AGENT}})` }],
    },
    {
      kind: 'lines',
      title: 'Time per frame by program',
      description: 'In the kernel. What is shared by all packets of an epoch is not in it.',
      unit: 's',
      queries: [
        {
          expr: `sum by (instance, program) (${rate('program_run_seconds_total', AGENT)}) / (sum by (instance, program) (${rate('program_runs_total', AGENT)}) > 0)`,
          legend: '{{instance}} {{program}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'CPU',
      description: 'Of one CPU: the process, and its programs in the kernel, which are in no process.',
      unit: 'percentunit',
      queries: [
        {
          expr: `rate(process_cpu_seconds_total{${AGENT},job="monitor"}[$__rate_interval])`,
          legend: '{{instance}} process',
        },
        {
          expr: `sum by (instance) (${rate('program_run_seconds_total', AGENT)})`,
          legend: '{{instance}} programs',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Room used in the kernel',
      description:
        'Of each table, in the newest epoch. Full flow tables cost detail, never octets: raise --flows.',
      unit: 'percentunit',
      max: 1,
      queries: [
        {
          expr: `tunnelscope_table_used{${AGENT}} / tunnelscope_table_capacity{${AGENT}}`,
          legend: '{{instance}} {{table}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Flows',
      description: 'Records in the newest epoch, and uniflows of the live view.',
      unit: 'short',
      queries: [
        { expr: `tunnelscope_epoch_records{${AGENT}}`, legend: '{{instance}} records' },
        { expr: `tunnelscope_view_uniflows{${AGENT}}`, legend: '{{instance}} view' },
      ],
    },
    {
      kind: 'lines',
      title: 'Lag',
      description: 'From the end of an epoch until the view had it, and the age of the newest.',
      unit: 's',
      queries: [
        { expr: `tunnelscope_epoch_lag_seconds{${AGENT}}`, legend: '{{instance}} lag' },
        { expr: `time() - tunnelscope_epoch_end_time_seconds{${AGENT}}`, legend: '{{instance}} age' },
      ],
    },
    {
      kind: 'lines',
      title: 'Sinks',
      description: 'Epochs per second by what became of them. Dropped: the sink was too slow.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (instance, sink, outcome) (${rate('sink_epochs_total', AGENT)})`,
          legend: '{{instance}} {{sink}} {{outcome}}',
        },
        { expr: `tunnelscope_sink_waiting_epochs{${AGENT}}`, legend: '{{instance}} {{sink}} waiting' },
      ],
    },
    {
      kind: 'lines',
      title: 'Scrapes',
      description: 'Samples per scrape, as Prometheus counts them.',
      unit: 'short',
      queries: [{ expr: `scrape_samples_scraped{${AGENT},job="monitor"}`, legend: '{{instance}}' }],
    },
    {
      kind: 'lines',
      title: 'Time of scrapes',
      description: 'As Prometheus measures it.',
      unit: 's',
      queries: [{ expr: `scrape_duration_seconds{${AGENT},job="monitor"}`, legend: '{{instance}}' }],
    },
  ],
};
