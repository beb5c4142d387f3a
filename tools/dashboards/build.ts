/** Dashboards as data, and how Grafana's own builders make its JSON of them. */
import {
  LegendDisplayMode,
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as HeatmapBuilder, YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** One question to Prometheus and how its answers are called. */
export interface Query {
  readonly expr: string;
  /** Labels in double braces; without it the name is that of all labels. */
  readonly legend?: string;
}

/** One panel. `unit` is a word of Grafana's. */
export interface Panel {
  readonly kind: 'lines' | 'stack' | 'number' | 'table' | 'heatmap';
  readonly title: string;
  /** What one sees, and what it means when it is not as it should be. */
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24. Default 12; of a number 6. */
  readonly width?: number;
  /** The end of the scale where there is one. */
  readonly max?: number;
  /** From here on a number is red. */
  readonly alarmFrom?: number;
}

/** A dashboard. Its file is named after `uid`. */
export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Whether the interface can be chosen. */
  readonly byInterface: boolean;
  readonly panels: readonly Panel[];
}

/** Which agents and interfaces; stands in braces. */
export const CHOSEN = 'instance=~"$instance",interface=~"$interface"';
/** Which agents. */
export const AGENT = 'instance=~"$instance"';
/** A rate over as many scrapes as a rate needs. */
export const rate = (metric: string, selector: string): string =>
  `rate(tunnelscope_${metric}{${selector}}[$__rate_interval])`;

const SOURCE = { type: 'prometheus', uid: '$datasource' } as const;
const TAG = 'tunnelscope';
const HEIGHT = { number: 4, lines: 8, stack: 8, table: 8, heatmap: 8 } as const;

/** Makes what Grafana reads. */
export function buildDashboard(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(`${board.description} Made by tools/dashboards.ts.`)
    .tags([TAG])
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Tunnelscope')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(choice('instance', 'Agent', 'label_values(tunnelscope_agent_info, instance)'));
  if (board.byInterface) {
    const names = 'label_values(tunnelscope_observation_point{instance=~"$instance"}, interface)';
    builder.withVariable(choice('interface', 'Interface', names));
  }
  for (const panel of board.panels) builder.withPanel(buildPanel(panel));
  return builder.build();
}

function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .query(query)
    .datasource(SOURCE)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all', selected: true });
}

function buildPanel(panel: Panel) {
  switch (panel.kind) {
    case 'number':
      return dress(new StatBuilder(), panel).thresholds(thresholds(panel.alarmFrom));
    case 'table':
      return dress(new TableBuilder(), panel).withTransformation({
        id: 'organize',
        options: { excludeByName: { Time: true } },
      });
    case 'heatmap':
      return dress(new HeatmapBuilder(), panel).yAxis(new YAxisConfigBuilder().unit(panel.unit));
    default:
      return lines(panel);
  }
}

function lines(panel: Panel): TimeseriesBuilder {
  const legend = new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.Table)
    .showLegend(true)
    .calcs(['lastNotNull', 'max']);
  const builder = dress(new TimeseriesBuilder(), panel).legend(legend).lineWidth(1).axisSoftMin(0);
  if (panel.kind !== 'stack') return builder.fillOpacity(5);
  return builder.fillOpacity(40).stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

type AnyPanel = StatBuilder | TableBuilder | HeatmapBuilder | TimeseriesBuilder;

/** What all kinds of panels have. */
function dress<Builder extends AnyPanel>(builder: Builder, panel: Panel): Builder {
  builder
    .title(panel.title)
    .description(panel.description)
    .datasource(SOURCE)
    .unit(panel.unit)
    .height(HEIGHT[panel.kind])
    .span(panel.width ?? (panel.kind === 'number' ? 6 : 12));
  if (panel.max !== undefined && !(builder instanceof HeatmapBuilder)) builder.max(panel.max);
  for (const [i, query] of panel.queries.entries()) {
    builder.withTarget(target(query, panel).refId(String.fromCharCode('A'.charCodeAt(0) + i)));
  }
  return builder;
}

function target({ expr, legend }: Query, { kind }: Panel): DataqueryBuilder {
  const query = new DataqueryBuilder().expr(expr);
  if (legend !== undefined) query.legendFormat(legend);
  if (kind === 'table') return query.instant().format(PromQueryFormat.Table);
  if (kind === 'heatmap') return query.range().format(PromQueryFormat.Heatmap).legendFormat('{{le}}');
  return kind === 'number' ? query.instant() : query.range();
}

function thresholds(alarmFrom: number | undefined): ThresholdsConfigBuilder {
  const steps = [{ value: null, color: alarmFrom === undefined ? 'text' : 'green' }];
  const red = alarmFrom === undefined ? [] : [{ value: alarmFrom, color: 'red' }];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps, ...red]);
}
