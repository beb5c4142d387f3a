/** Options that several commands share, and how their words become configuration. */
import type { Command } from 'commander';
import {
  DEFAULT,
  type MeterConfig,
  parseChoice,
  parseCount,
  parseInterfaces,
  parseNamespace,
  parseTunnelPorts,
} from '../config/index.ts';
import { PORT_NAMES } from '../flow/index.ts';
import { addRuleOptions, type RuleWords, rulesOf } from './ruling.ts';

/** The words of the metering options as commander hands them over. */
export interface MeterWords extends RuleWords {
  readonly iface?: string[];
  readonly netns?: string;
  readonly tunnelPorts?: string[];
  readonly flows: string;
  readonly hook: string;
}

/** Adds the option of everything that parses. @param more what else there is to say of it */
export function addPortOption(command: Command, more = ''): Command {
  return command.option(
    '--tunnel-ports <kind=list>',
    `UDP destination ports of a tunnel, e.g. vxlan=4789,8472 (repeat; "teredo=3544" switches on, "l2tp=" off): ${PORT_NAMES.join(', ')}${more}`,
    (word: string, before: string[] = []) => [...before, word],
  );
}

/** Adds the options of everything that meters. */
export function addMeterOptions(command: Command): Command {
  const metering = addPortOption(command, '; those this host uses are added')
    .option(
      '-i, --iface <name>',
      'interface to meter: a name or a glob, several by commas or by repeating; +NAME adds to the default (driver-bound ones and the default route)',
      (word: string, before: string[] = []) => [...before, word],
    )
    .option('--netns <name>', 'meter inside this network namespace (of "ip netns")')
    .option(
      '--flows <count>',
      'flows the kernel keeps per epoch; what exceeds it loses detail, never octets',
      DEFAULT.flows,
    )
    .option('--hook <hook>', 'auto, tcx (Linux 6.6) or clsact', DEFAULT.hook);
  return addRuleOptions(metering);
}

/** @throws ConfigError naming the option and the value, or Exit that points into a rule. */
export function meterConfig(words: MeterWords, intervalMs: number): MeterConfig {
  return {
    interfaces: parseInterfaces('--iface', words.iface ?? []),
    intervalMs,
    ports: parseTunnelPorts('--tunnel-ports', words.tunnelPorts ?? []),
    flowCapacity: parseCount('--flows', words.flows, { min: 16, max: 16_777_216 }),
    hook: parseChoice('--hook', words.hook, ['auto', 'tcx', 'clsact']),
    namespace: words.netns === undefined ? undefined : parseNamespace('--netns', words.netns),
    rules: rulesOf(words),
  };
}
