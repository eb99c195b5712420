/** Writes the documents in terraform/ anew; run it after a change of what is deployed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { terraformDocuments } from '../lib/terraform-documents.js';

for (const [name, text] of terraformDocuments()) writeFileSync(join('terraform', name), text);
