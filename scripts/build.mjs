/** `npm run build`: set-up, the addon and the TypeScript. */
import { setUp } from './setup.mjs';
import { runScript } from './setup/setup-error.mjs';

await runScript(() => setUp('runtime'));
