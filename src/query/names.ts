/** What addresses and segments are called: the question and its answer. */
import { z } from 'zod';
import { SegmentIdSchema } from './view.ts';

/** Most addresses, and most segments, of a question. */
export const MAX_NAMED = 1000;
/** Longest address of a question, characters: more than any address, and than a MAC. */
const MAX_ADDRESS = 64;

/** What is to be named. What is no address (a view also says `(others)`) has no name. */
export const NamesQuestionSchema = z.strictObject({
  /** IPv4, IPv6 or MAC, as views and tables say them. */
  addresses: z.array(z.string().max(MAX_ADDRESS)).max(MAX_NAMED).default([]),
  segments: z.array(SegmentIdSchema).max(MAX_NAMED).default([]),
});
/** A validated question. */
export type NamesQuestion = z.output<typeof NamesQuestionSchema>;

/** Where names come from: the user's labels, the hosts file, reverse DNS; the first that knows one is believed. */
export const NAME_SOURCES = ['labels', 'hosts', 'dns'] as const;

const NameSchema = z.object({
  /** Printable, on one line, 253 characters at most. */
  name: z.string(),
  from: z.enum(NAME_SOURCES),
  /** The name is that of a network, of which the address is one of many. */
  network: z.string().optional(),
});
/** A name, and who says it. */
export type Name = z.infer<typeof NameSchema>;

/** The names that are known now, by what was asked for. */
export const NamesAnswerSchema = z.object({
  addresses: z.record(z.string(), NameSchema),
  segments: z.record(z.string(), NameSchema),
  /** Of these addresses a name is being looked for: ask again in a second. */
  pending: z.array(z.string()),
});
/** A validated answer. */
export type NamesAnswer = z.infer<typeof NamesAnswerSchema>;

/** Most that a search by name finds. */
export const MAX_FOUND_NAMES = 1000;

/** What is called something with a text in it. */
export const FoundNamesSchema = z.object({
  addresses: z.record(z.string(), NameSchema),
  /** Names that are those of all addresses of a network, e.g. of `10.0.5.0/24`. */
  networks: z.record(z.string(), NameSchema),
  segments: z.record(z.string(), NameSchema),
  /** There are more. */
  isCut: z.boolean(),
});
/** A validated answer to a search. */
export type FoundNames = z.infer<typeof FoundNamesSchema>;

/** Who knows names. */
export interface NameSource {
  /** What is called something with this text in it, in large or small letters, as far as is known now: nobody is asked. */
  find(text: string): Promise<FoundNames>;
  /** Answers at once with what is known; what has to be looked for is known at a later time. */
  names(question: NamesQuestion): Promise<NamesAnswer>;
}
