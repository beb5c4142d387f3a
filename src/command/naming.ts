/** Names of addresses, as a configuration says where they are looked for. */
import type { NamesConfig } from '../config/index.ts';
import { Names, type NamesError } from '../names/index.ts';
import type { Teller } from './running.ts';

/** Opens the sources of names. Dispose them. @throws NamesError when a file cannot be used */
export function openNames(config: NamesConfig, teller: Teller): Promise<Names> {
  return Names.open(config, {
    problem: (error) =>
      teller.say('warn', `Problem: ${error.message}`, { code: (error as Partial<NamesError>).code }),
    recovered: () => teller.say('info', 'DNS answers again what addresses are called'),
  });
}
