/** What can be asked of a running network function over its control socket. */
import { z } from 'zod';
import { type Dialogue, IdentitySchema, NO_WORDS } from '../daemon/index.ts';
import { VirtualNetworkSchema } from '../query/index.ts';

/**
 * `show`: all it knows. `stop`: it ends and takes everything with it. `change`: what is added or removed while it runs, as the
 * kind of function has it; answered with a line per thing that changed.
 */
export const VNET = {
  show: { words: NO_WORDS, answer: VirtualNetworkSchema },
  ready: { words: NO_WORDS, answer: IdentitySchema },
  stop: { words: NO_WORDS, answer: IdentitySchema },
  change: { words: z.unknown(), answer: z.array(z.string()) },
} as const satisfies Dialogue;
