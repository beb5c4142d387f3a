/**
 * Makes the dashboards of Grafana from what is said of them in tools/dashboards.
 *
 *     node tools/dashboards.ts
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AGENT_BOARD } from './dashboards/agent.ts';
import { type Board, buildDashboard } from './dashboards/build.ts';
import { EXACTNESS } from './dashboards/exactness.ts';
import { FLOWS } from './dashboards/flows.ts';
import { JITTER } from './dashboards/jitter.ts';
import { OVERVIEW } from './dashboards/overview.ts';
import { TUNNELS } from './dashboards/tunnels.ts';

/** All dashboards there are. */
export const BOARDS: readonly Board[] = [OVERVIEW, TUNNELS, FLOWS, JITTER, EXACTNESS, AGENT_BOARD];

const DIRECTORY = fileURLToPath(new URL('../deploy/grafana/dashboards/', import.meta.url));

/** File name → what it should hold. */
function wanted(): Map<string, string> {
  return new Map(
    BOARDS.map((board) => [`${board.uid}.json`, `${JSON.stringify(buildDashboard(board), undefined, 2)}\n`]),
  );
}

function standing(): string[] {
  return readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
}

/** Files that are not what they should be, are missing, or should not be there. */
export function staleDashboards(): string[] {
  const files = wanted();
  const read = (name: string): string | undefined =>
    standing().includes(name) ? readFileSync(DIRECTORY + name, 'utf8') : undefined;
  return [
    ...[...files].filter(([name, text]) => read(name) !== text).map(([name]) => name),
    ...standing().filter((name) => !files.has(name)),
  ];
}

if (import.meta.main) {
  for (const name of standing()) rmSync(DIRECTORY + name);
  for (const [name, text] of wanted()) writeFileSync(DIRECTORY + name, text);
}
