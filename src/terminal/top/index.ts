export { isUnicode } from './ascii.ts';
export { depthOf, THEMES, type Theme, themeOf } from './palette.ts';
export { runTop, type TopOptions } from './run.ts';
export { type Connections, type HeldConnection, NotOffered, type TopSource } from './source.ts';
export { readFilter, TABS, type Tab } from './state.ts';
