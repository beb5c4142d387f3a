/* What is shipped for Prometheus and Grafana: that it is whole, closed to strangers, pinned, and that each alert can fire. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { BOARDS, staleDashboards } from '../tools/dashboards.ts';
import { CONFIGURATION, promtool } from './prometheus.ts';

const DEPLOY = fileURLToPath(new URL('../deploy/', import.meta.url));

function read<Shape>(path: string, schema: z.ZodType<Shape>): Shape {
  return schema.parse(parse(readFileSync(join(DEPLOY, path), 'utf8')));
}

/** What of compose files is used here; a word that is none of them is a mistake. */
const ComposeSchema = z.strictObject({
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      network_mode: z.literal('host'),
      restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
      depends_on: z.array(z.string()).optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      volumes: z.array(z.string()),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
});
const compose = read('compose.yaml', ComposeSchema);
const { prometheus, grafana } = compose.services;

/** As compose writes a variable with its default. */
function variable(name: string, otherwise: number): string {
  return `\${${name}:-${otherwise}}`;
}

const RulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});

test('images are pinned to a version, and there are two', () => {
  const images = Object.values(compose.services).map(({ image }) => image);
  assert.equal(images.length, 2);
  for (const image of images) assert.match(image, /^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/);
});

test('what is mounted from here is here, and the rest is declared', () => {
  for (const { volumes } of Object.values(compose.services)) {
    for (const [source = '', , mode] of volumes.map((volume) => volume.split(':'))) {
      if (source.startsWith('./')) {
        assert.ok(existsSync(join(DEPLOY, source)), source);
        assert.equal(mode, 'ro', source);
      } else {
        assert.ok(source in compose.volumes, source);
      }
    }
  }
});

test('both listen on loopback, at ports that can be changed, and Grafana asks Prometheus where it listens', () => {
  assert.ok(
    prometheus!.command!.includes(`--web.listen-address=127.0.0.1:${variable('PROMETHEUS_PORT', 9090)}`),
  );
  const environment = grafana!.environment!;
  assert.equal(environment.GF_SERVER_HTTP_ADDR, '127.0.0.1');
  assert.equal(environment.GF_SERVER_HTTP_PORT, variable('GRAFANA_PORT', 3000));
  assert.equal(environment.PROMETHEUS_PORT, variable('PROMETHEUS_PORT', 9090));
  const { datasources } = read(
    'grafana/provisioning/datasources/prometheus.yml',
    z.object({ datasources: z.array(z.object({ type: z.literal('prometheus'), url: z.string() })) }),
  );
  assert.deepEqual(
    datasources.map(({ url }) => url),
    ['http://127.0.0.1:$PROMETHEUS_PORT'],
  );
});

test('nobody gets in without a login, and no password is shipped', () => {
  const environment = grafana!.environment!;
  assert.equal(environment.GF_AUTH_ANONYMOUS_ENABLED, 'false');
  assert.equal(environment.GF_USERS_ALLOW_SIGN_UP, 'false');
  // Compose refuses to start without it, with the words behind the question mark.
  assert.match(environment.GF_SECURITY_ADMIN_PASSWORD!, /^\$\{GRAFANA_ADMIN_PASSWORD:\?.+\}$/);
  assert.ok(!('GF_AUTH_DISABLE_LOGIN_FORM' in environment));
});

test('Grafana finds the dashboards where they are mounted, and the rates fit the scrapes', () => {
  const { providers } = read(
    'grafana/provisioning/dashboards/tunnelscope.yml',
    z.object({ providers: z.array(z.object({ options: z.object({ path: z.string() }) })) }),
  );
  const [provider] = providers;
  assert.ok(grafana!.volumes.includes(`./grafana/dashboards:${provider!.options.path}:ro`));
  const home = grafana!.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
  assert.ok(BOARDS.some(({ uid }) => home === `${provider!.options.path}/${uid}.json`));
  const { global } = read(
    'prometheus/prometheus.yml',
    z.object({ global: z.object({ scrape_interval: z.string() }) }),
  );
  const source = readFileSync(join(DEPLOY, 'grafana/provisioning/datasources/prometheus.yml'), 'utf8');
  assert.match(source, new RegExp(`timeInterval: ${global.scrape_interval}$`, 'm'));
});

test('the dashboards are what is said of them', () => {
  assert.deepEqual(staleDashboards(), [], 'node tools/dashboards.ts makes them anew');
});

test('promtool finds nothing wrong with configuration and rules', () => {
  const { code, said } = promtool(['check', 'config', 'prometheus.yml']);
  assert.equal(code, 0, said);
  const tested = promtool(['test', 'rules', 'alerts.test.yml']);
  assert.equal(tested.code, 0, tested.said);
});

test('each alert is shown to fire, and to stay quiet', () => {
  const { rules } = read('prometheus/alerts.yml', RulesSchema).groups[0]!;
  assert.ok(rules.length >= 9);
  for (const { alert } of rules) {
    for (const [expr, what] of [
      ['vector(1) < 0', 'never fires'],
      ['vector(1)', 'always fires'],
    ] as const) {
      const { code, said } = testWith(alert, expr);
      assert.equal(code, 1, `nothing notices that ${alert} ${what}`);
      assert.match(said, new RegExp(`alertname: ${alert}\\b`), said);
    }
  }
});

/** Runs the tests of the rules with another expression for one of them. */
function testWith(alert: string, expr: string): ReturnType<typeof promtool> {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-rules-'));
  try {
    cpSync(CONFIGURATION, directory, { recursive: true });
    const file = join(directory, 'alerts.yml');
    const rules = parse(readFileSync(file, 'utf8')) as z.infer<typeof RulesSchema>;
    for (const rule of rules.groups[0]!.rules) if (rule.alert === alert) rule.expr = expr;
    writeFileSync(file, JSON.stringify(rules));
    return promtool(['test', 'rules', 'alerts.test.yml'], '', directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
