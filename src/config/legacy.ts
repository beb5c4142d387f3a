/** The `config.json` of the reference's monitor, read as it is: its upper-case keys, its words for "off". */
import { nearest } from '../query/index.ts';
import { DISPLAYS } from './schema.ts';
import { isTree, type Path, type Tree, withValue } from './tree.ts';

type Display = (typeof DISPLAYS)[number];

/** Each of its keys with the path here; `undefined` for those that only explain. */
const PATHS: Readonly<Record<string, readonly string[] | undefined>> = {
  RULES: ['rules'],
  PATTERN: ['measure', 'sequence', 'pattern'],
  OFFSET: ['measure', 'sequence', 'offset'],
  SEQUENCE_THRESHOLD: ['measure', 'sequence', 'threshold'],
  DISPLAY: ['measure', 'display'],
  LOG_DATA: ['log', 'data', 'file'],
  MONITOR_SERVER: ['serve', 'listen'],
  EXAMPLE: undefined,
  EXAMPLES: undefined,
};

/** Its names of what is shown. */
const DISPLAY_NAMES: Readonly<Record<string, Display>> = {
  Jitter: 'jitter',
  Throughput: 'throughput',
  Goodput: 'goodput',
  SEQ_ERRORS: 'sequence',
};

/** Where `LOG_DATA: "True"` writes: beside the file, under one name, since it is rotated. */
const DATA_FILE = 'monitor.log';

/** A mistake in such a file: by its own key. */
interface LegacyMistake {
  readonly key: string;
  readonly problem: string;
}

/** The same in our keys. */
export interface Translated {
  readonly tree: Tree;
  readonly mistakes: readonly LegacyMistake[];
  /** The path in the file of what stands at a path of the tree. */
  origin(path: Path): Path;
}

/** Whether it has a key that only such files have. */
export function isLegacy(tree: Tree): boolean {
  return Object.keys(tree).some((key) => Object.hasOwn(PATHS, key));
}

/** Translates all keys; those that say "off" (-1, 0xFFFFFFFF, "False") are left out, which is off here. */
export function translateLegacy(legacy: Tree): Translated {
  let tree: Tree = {};
  const mistakes: LegacyMistake[] = [];
  for (const [key, value] of Object.entries(legacy)) {
    if (!Object.hasOwn(PATHS, key)) {
      const meant = nearest(key, Object.keys(PATHS));
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
      mistakes.push({ key, problem: `"${key}" is no key of the reference's config.json${hint}` });
      continue;
    }
    const path = PATHS[key];
    if (!path) continue;
    const translated = translate(key, value);
    if (translated === undefined)
      mistakes.push({ key, problem: `${key}: ${JSON.stringify(value)} is not ${WANTED[key]}` });
    else if (translated !== OFF) tree = withValue(tree, path, translated);
  }
  const origin = (path: Path): Path => {
    const found = Object.entries(PATHS).find(([, to]) => to?.every((each, i) => path[i] === each));
    return found ? [found[0], ...path.slice(found[1]!.length)] : [];
  };
  return { tree, mistakes, origin };
}

const OFF = Symbol('off');

const WANTED: Readonly<Record<string, string>> = {
  PATTERN: '32 bits in hexadecimal such as "0xE7A5C318", or "0xFFFFFFFF" for none',
  OFFSET: 'a number of octets, or -1 for none',
  DISPLAY: `an object with ${Object.keys(DISPLAY_NAMES).join(', ')}, each "True" or "False"`,
  LOG_DATA: '"True", "False" or the name of a file',
  MONITOR_SERVER: '"True", "False" or a port',
};

/** @returns what stands here for it, OFF, or undefined when it is not what the key takes */
function translate(key: string, value: unknown): unknown {
  switch (key) {
    case 'PATTERN':
      if (typeof value !== 'string' && typeof value !== 'number') return undefined;
      return Number(value) === 0xffff_ffff || Number(value) === -1 ? OFF : value;
    case 'OFFSET':
      if (typeof value !== 'string' && typeof value !== 'number') return undefined;
      return Number(value) === -1 || Number(value) === 0xffff_ffff ? OFF : value;
    case 'DISPLAY':
      return displayOf(value);
    case 'LOG_DATA': {
      const isOn = truth(value);
      if (isOn === undefined) return typeof value === 'string' && value !== '' ? value : undefined;
      return isOn ? DATA_FILE : OFF;
    }
    case 'MONITOR_SERVER': {
      const isOn = truth(value);
      if (isOn !== undefined) return isOn ? OFF : 'none';
      return typeof value === 'number' || typeof value === 'string' ? value : undefined;
    }
    default:
      return value;
  }
}

function displayOf(value: unknown): Display[] | undefined {
  if (!isTree(value)) return undefined;
  const hidden = new Set<Display>();
  for (const [name, word] of Object.entries(value)) {
    const isShown = truth(word);
    if (!Object.hasOwn(DISPLAY_NAMES, name) || isShown === undefined) return undefined;
    if (!isShown) hidden.add(DISPLAY_NAMES[name]!);
  }
  return DISPLAYS.filter((each) => !hidden.has(each));
}

/** Its files write truth as text. */
function truth(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' || !/^(true|false)$/i.test(value)) return undefined;
  return value.toLowerCase() === 'true';
}
