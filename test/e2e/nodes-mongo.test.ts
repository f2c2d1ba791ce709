import { databaseName, dropDatabase, mongodbUrl, urlOfDatabase } from '../support/mongodb.js';
import { severalNodes } from './several-nodes.js';

const url = mongodbUrl();
if (url !== null) {
  const database = databaseName();
  severalNodes(urlOfDatabase(url, database), () => dropDatabase(url, database));
}
