import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { severalNodes } from './several-nodes.js';

const url = mongodbUrl();
if (url !== null) severalNodes((t) => urlOfDatabase(url, testDatabase(t, url)));
