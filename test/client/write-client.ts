import { writeFile } from 'node:fs/promises';
import { openApiDocument } from '../nbi/declared.js';
import { clientSource } from './client-source.js';
import { OPERATIONS_FILE } from './operations-file.js';

// What `npm run client` runs, after a change of what the routes of the northbound interface declare.
await writeFile(OPERATIONS_FILE, clientSource(openApiDocument));
