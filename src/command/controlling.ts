/** What the API can change of an agent that meters. */
import type { RunningAgent } from '../agent.ts';
import type { AgentControl, Metering } from '../query/index.ts';
import type { RulesFollower } from './ruling.ts';
import type { Teller } from './running.ts';

/** What there is once the agent meters. */
export interface Metered {
  readonly agent: RunningAgent;
  readonly rules: RulesFollower;
}

/** Steers the agent as soon as it meters; who asks before that waits. */
export function agentControl(metered: Promise<Metered>, teller: Teller): AgentControl {
  return {
    rules: async () => (await metered).rules.rules,
    async setRules(next) {
      const { rules } = await metered;
      await rules.change(next);
      return rules.rules;
    },
    metering: async () => meteringOf((await metered).agent),
    async change({ intervalMs, interfaces }) {
      const { agent } = await metered;
      agent.change({
        ...agent.settings,
        ...(intervalMs !== undefined && { intervalMs }),
        ...(interfaces !== undefined && { interfaces }),
      });
      const metering = meteringOf(agent);
      teller.say('info', `Changed over the API: ${describe(metering)}`, { ...metering });
      return metering;
    },
  };
}

function meteringOf({ settings: { intervalMs, interfaces } }: RunningAgent): Metering {
  return { intervalMs, interfaces: [...interfaces] };
}

function describe({ intervalMs, interfaces }: Metering): string {
  const names = interfaces.length === 0 ? 'the default interfaces' : interfaces.join(', ');
  return `an epoch each ${intervalMs} ms, of ${names}`;
}
