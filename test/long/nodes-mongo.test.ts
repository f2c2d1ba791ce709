import { severalNodes } from '../e2e/several-nodes.js';
import { databaseName, dropDatabase, mongodbUrl, urlOfDatabase } from '../support/mongodb.js';

const url = mongodbUrl();
if (url !== null) {
  const database = databaseName();
  severalNodes(urlOfDatabase(url, database), () => dropDatabase(url, database));
}
