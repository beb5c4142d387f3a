export { DEFAULT } from './default.ts';
export { ConfigError, ConfigFileError, type Mistake } from './error.ts';
export { type ConfigFile, parseConfigFile, readConfigFile } from './file.ts';
export { descriptionAt, keysAt } from './known.ts';
export { readConfigAs } from './mistakes.ts';
export type { HistoryConfig, MeterConfig, NamesConfig, ServeConfig } from './parts.ts';
export { historyConfigOf, meterConfigOf, namesConfigOf } from './parts.ts';
export { formatConfiguration } from './print.ts';
export { type FlagLayer, type Resolved, resolveConfiguration, valuePaths } from './resolve.ts';
export {
  parseAddressAndPort,
  parseChoice,
  parseCount,
  parseDuration,
  parseHostName,
  parseInstance,
  parseInterfaces,
  parseMilliseconds,
  parseNamespace,
  parsePattern,
  parseTunnelPorts,
} from './scalar.ts';
export { type Configuration, type ConfigurationText, jsonSchema, type Rule } from './schema.ts';
export { isTree, mergeTrees, type Tree, valueAt } from './tree.ts';
