/** `tunnelscope vnet`: network functions in BPF, each a command of its own. */
import type { Command } from 'commander';
import { instanceNames } from '../daemon/index.ts';
import { pinnedNames, removeBridgeLeftovers, removePins } from '../vnet/index.ts';
import { EXIT, Exit } from './exit.ts';
import { type StopWords, stopInstances } from './stop.ts';
import { addBridgeCommands } from './vnet-bridge.ts';
import { addGatewayCommands } from './vnet-gateway.ts';
import { addRelayCommands } from './vnet-relay.ts';
import { addShowCommands } from './vnet-show.ts';

/** Adds `vnet` to the program. */
export function addVnetCommands(program: Command): void {
  const vnet = program
    .command('vnet')
    .description('virtual networks: network functions in BPF that run on this host');
  addGatewayCommands(vnet);
  addShowCommands(vnet);
  addBridgeCommands(vnet);
  vnet
    .command('stop')
    .description('end functions in order; what a killed one left in the kernel goes too')
    .argument('[name...]', 'of the instances')
    .option('--all', 'every one that runs here')
    .option('--timeout <duration>', 'what does not end by then is killed', '20s')
    .action(stop);
  addRelayCommands(vnet);
}

async function stop(named: readonly string[], words: StopWords): Promise<void> {
  if (named.length === 0 && !words.all)
    throw new Exit(EXIT.usage, 'name what is to stop ("tunnelscope vnet show" lists it), or say --all');
  await stopInstances(
    'vnet',
    words.all ? [...new Set([...instanceNames('vnet'), ...pinnedNames()])] : named,
    {
      words: { timeout: words.timeout },
      leftover,
    },
  );
}

/** A function that was killed, or was to be kept, still forwards. */
function leftover(name: string): string | undefined {
  removeBridgeLeftovers(name);
  return removePins(name) ? `"${name}" has stopped, and what it had left in the kernel is gone` : undefined;
}
