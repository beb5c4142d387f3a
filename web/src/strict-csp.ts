/** Imported first: under the page's content security policy zod must not try to compile its schemas with eval. */
import { config } from 'zod';

config({ jitless: true });
