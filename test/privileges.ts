/**
 * Words before a command that runs without any privilege. It stays root by name, who owns the tree wherever that lies: as
 * nobody it could not read a clone in /root.
 */
export const WITHOUT_PRIVILEGES: readonly [string, ...string[]] = [
  'setpriv',
  '--bounding-set=-all',
  '--inh-caps=-all',
];
