export * from './alerts.ts';
export * from './audit.ts';
export * from './connections.ts';
export * from './control.ts';
export {
  allOf,
  anyOf,
  type Filter,
  type FilterValue,
  fieldsOf,
  type OrderOperator,
} from './filter/ast.ts';
export {
  type Classifier,
  type ClassifierRows,
  type ClassifierUse,
  classify,
  RulesTooLarge,
  SUMMARY_WORDS,
} from './filter/classifier.ts';
export { compileFilter, type RecordTest } from './filter/compile.ts';
export { type Completion, completeFilter, type KnownValues } from './filter/complete.ts';
export { TooManyConjunctions } from './filter/conjunctions.ts';
export { type DecisionField, KINDS_WITH_ID, type NamedInterface } from './filter/decision.ts';
export { type Expectation, FilterError, quoted, type Span, type Suggestion } from './filter/error.ts';
export {
  FILTER_FIELD_NAMES,
  type FieldDefinition,
  type FilterField,
  fieldDefinition,
} from './filter/fields.ts';
export { parseHistoryFilter } from './filter/history.ts';
export { nearest } from './filter/nearest.ts';
export { formatNetwork, networkOctets, networkStart, parseNetwork } from './filter/network.ts';
export { parseFilter } from './filter/parse.ts';
export { matchesPattern } from './filter/pattern.ts';
export { printFilter } from './filter/print.ts';
export { parseRule, parseRules, parseRuleText } from './filter/rule.ts';
export { RuleError, readRule, readRules } from './filter/rule-file.ts';
export { isViewField, MAX_VIEW_FILTER, parseViewFilter } from './filter/uniflow.ts';
export { bitsText, codesOfName, codeText } from './filter/value.ts';
export { namesOf } from './filter/value-type.ts';
export * from './history.ts';
export { LEDGER_REASONS, type ReasonWords, reasonWords } from './ledger-words.ts';
export * from './live.ts';
export * from './names.ts';
export * from './past-audit.ts';
export { completeQuestion, type QuestionCompleting } from './question/complete.ts';
export {
  parsePastQuestion,
  parseQuestion,
  parseSelection,
  parseSpan,
  type QuestionClock,
} from './question/parse.ts';
export { formatMoment, printQuestion } from './question/print.ts';
export { type WantedValues, wantedOfQuestion, wantedValues } from './question/seen.ts';
export { ASK_WORDS, QUESTION_WORDS } from './question/words.ts';
export { isTimeZone, localTimeZone, wallOf } from './question/zone.ts';
export { type RateStep, type Rise, ratesOf, riseOf } from './rise.ts';
export { compareSegments, segmentHash, segmentName, TONES, toneOf } from './segment.ts';
export * from './streamed.ts';
export { tableCsv } from './table-csv.ts';
export { exactly, finePercent, type Trust, trust } from './trust.ts';
export * from './tunnels.ts';
export * from './view.ts';
export * from './vnet.ts';
export { withFewerEntries } from './vnet-entries.ts';
