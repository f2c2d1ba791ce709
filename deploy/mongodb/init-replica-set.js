// Run by mongosh, again and again: a set that is there stays as it is.
const members = ['mongo1:27017', 'mongo2:27017', 'mongo3:27017'];
try {
  rs.status();
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  rs.initiate({ _id: 'ferry', members: members.map((host, _id) => ({ _id, host })) });
}
for (
  let tries = 0;
  tries < 60 && rs.status().members.every(({ stateStr }) => stateStr !== 'PRIMARY');
  tries++
) {
  sleep(1000);
}
if (rs.status().members.every(({ stateStr }) => stateStr !== 'PRIMARY')) quit(1);
