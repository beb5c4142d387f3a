export { NAMES_ERROR_CODES, NamesError, type NamesErrorCode } from './error.ts';
export { type NameSettings, Names, type NamesListener } from './names.ts';
export { REVERSE_LIMITS, type ReverseLimits } from './reverse.ts';
