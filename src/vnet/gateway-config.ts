/** What a gateway is told: its file, and what is added while it runs, as schemas that say what is wrong. */
import { z } from 'zod';
import { ConfigError, parseDuration } from '../config/index.ts';
import { CUSTOMER_TAG, LAST_VID, SERVICE_TAG, type TagStack, usualTags } from './gateway-tags.ts';

/** A client of a worker. */
export interface GatewayClient {
  /** In lower case, with colons. */
  readonly mac: string;
  /** The interface that leads to its worker. */
  readonly worker: string;
  /** By which it is reached: for good (`vlan`), or until others are learned (`default`). */
  readonly tags: TagStack | undefined;
  readonly isFixed: boolean;
  /** Outer VLANs that its frames may be of, ascending; undefined: nobody chose. */
  readonly allowed: readonly number[] | undefined;
}

/** A gateway's file. */
export interface GatewayConfig {
  readonly trunk: string;
  readonly clients: readonly GatewayClient[];
  readonly ageingMs: number;
  readonly capacity: number;
  readonly moves: { readonly limit: number; readonly periodMs: number };
}

/** So many clients a worker has at most (`CLIENTS_OF_WORKER` in bpf/vnet/gateway.bpf.c): a broadcast of it may become as many frames. */
export const CLIENTS_OF_WORKER = 64;

const MAC_WORDS = 'the MAC address of one interface, such as 02:00:00:00:00:01';
const VLAN_WORDS = `a VLAN from 1 to ${LAST_VID}`;
const TAGS_WORDS = `${VLAN_WORDS}, a list of two (outer, inner), or sections with vid, pcp, dei, protocol`;
const ALLOWED_WORDS = `a list of VLANs from 1 to ${LAST_VID} and ranges such as "100-200"`;

const mac = z
  .string({ error: MAC_WORDS })
  .transform((text) => text.toLowerCase().replaceAll('-', ':'))
  .refine((text) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text), MAC_WORDS)
  // The lowest bit of the first octet is that of groups; and nobody has the address of zeros.
  .refine((text) => (Number.parseInt(text, 16) & 1) === 0 && /[1-9a-f]/.test(text), MAC_WORDS);

const device = z
  .string({ error: 'the name of an interface' })
  .regex(/^[^\s/:]{1,15}$/, 'the name of an interface (at most 15 characters)');

const vid = z.number({ error: VLAN_WORDS }).int(VLAN_WORDS).min(1, VLAN_WORDS).max(LAST_VID, VLAN_WORDS);

const tag = z.strictObject(
  {
    vid,
    pcp: z
      .number({ error: 'a priority from 0 to 7' })
      .int('a priority from 0 to 7')
      .min(0, 'a priority from 0 to 7')
      .max(7, 'a priority from 0 to 7')
      .prefault(0),
    dei: z.boolean({ error: 'true or false' }).prefault(false),
    protocol: z
      .union([z.literal(CUSTOMER_TAG), z.literal(SERVICE_TAG)], { error: '0x8100 or 0x88a8' })
      .prefault(CUSTOMER_TAG),
  },
  { error: TAGS_WORDS },
);

const tags = z.union(
  [
    vid.transform((one): TagStack => usualTags([one])),
    z.tuple([vid, vid]).transform((both): TagStack => usualTags(both)),
    tag.transform((one): TagStack => [one]),
    z.tuple([tag, tag]).transform((both): TagStack => both),
  ],
  { error: TAGS_WORDS },
);

const range = z.union([vid.transform((one) => [one, one] as const), z.string().transform(parseRange)], {
  error: ALLOWED_WORDS,
});

const allowed = z
  .array(range, { error: ALLOWED_WORDS })
  .min(1, `${ALLOWED_WORDS}, one at least; leave the key out for all`)
  .transform((ranges) => {
    const vids = new Set<number>();
    for (const [first, last] of ranges) for (let each = first; each <= last; each++) vids.add(each);
    return [...vids].toSorted((a, b) => a - b);
  });

function parseRange(text: string, context: z.RefinementCtx): readonly [number, number] {
  const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
  const [low, high] = [Number(first), Number(last)];
  if (low >= 1 && low <= high && high <= LAST_VID) return [low, high];
  context.addIssue({ code: 'custom', message: ALLOWED_WORDS, input: text });
  return z.NEVER;
}

/** A client as it is written. */
export const ClientSchema = z
  .strictObject(
    {
      mac,
      worker: device,
      vlan: tags.optional(),
      default: tags.optional(),
      allowed: allowed.optional(),
    },
    { error: 'a section with mac and worker' },
  )
  .superRefine((client, context) => {
    if (client.vlan && client.default)
      context.addIssue({
        code: 'custom',
        path: ['default'],
        message: 'of use beside "vlan", which holds for good: leave one of them out',
      });
    const own = client.vlan ? 'vlan' : 'default';
    const outer = client[own]?.[0]?.vid;
    if (outer !== undefined && client.allowed && !client.allowed.includes(outer))
      context.addIssue({ code: 'custom', path: [own], message: 'among its "allowed" VLANs: add it there' });
  })
  .transform(
    (client): GatewayClient => ({
      mac: client.mac,
      worker: client.worker,
      tags: client.vlan ?? client.default,
      isFixed: client.vlan !== undefined,
      allowed: client.allowed,
    }),
  );

const duration = z
  .union([z.string(), z.number()], { error: 'a duration such as 5m or 10s' })
  .transform((value, context): number => {
    try {
      return parseDuration('', String(value));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      context.addIssue({ code: 'custom', message: error.wanted, input: value });
      return z.NEVER;
    }
  });

function count(min: number, max: number) {
  const words = `a whole number from ${min} to ${max}`;
  return z.number({ error: words }).int(words).min(min, words).max(max, words);
}

/** A gateway's file as it is written. */
export const GatewaySchema = z
  .strictObject({
    trunk: device,
    clients: z.array(ClientSchema, { error: 'a list of clients' }).prefault([]),
    ageing: duration.prefault('5m'),
    capacity: count(1, 65_536).prefault(4096),
    moves: z
      .strictObject(
        { limit: count(0, 60_000).prefault(5), period: duration.prefault('10s') },
        { error: 'a section with limit and period' },
      )
      .prefault({}),
  })
  .superRefine((file, context) => {
    for (const { path, message } of mistakesAmong(file)) context.addIssue({ code: 'custom', path, message });
  })
  .transform(
    ({ trunk, clients, ageing, capacity, moves }): GatewayConfig => ({
      trunk,
      clients,
      ageingMs: ageing,
      capacity,
      moves: { limit: moves.limit, periodMs: moves.period },
    }),
  );

/** What is wrong with clients as a whole, each at its place in a file; the messages follow "is not". */
export function mistakesAmong({
  trunk,
  clients,
  capacity,
}: Pick<GatewayConfig, 'trunk' | 'clients' | 'capacity'>): {
  readonly path: (string | number)[];
  readonly message: string;
}[] {
  const mistakes: { path: (string | number)[]; message: string }[] = [];
  if (clients.length > capacity)
    mistakes.push({
      path: ['capacity'],
      message: `enough for ${clients.length} clients: raise it`,
    });
  const macs = new Set<string>();
  const workers = new Map<string, number>();
  for (const [i, { mac: address, worker }] of clients.entries()) {
    if (macs.has(address))
      mistakes.push({ path: ['clients', i, 'mac'], message: 'new: a client before has it' });
    macs.add(address);
    if (worker === trunk)
      mistakes.push({ path: ['clients', i, 'worker'], message: 'a worker but the trunk: name another' });
    const before = workers.get(worker) ?? 0;
    workers.set(worker, before + 1);
    if (before === CLIENTS_OF_WORKER)
      mistakes.push({
        path: ['clients', i, 'worker'],
        message: `free: a worker has at most ${CLIENTS_OF_WORKER} clients; give it a second interface`,
      });
  }
  return mistakes;
}
