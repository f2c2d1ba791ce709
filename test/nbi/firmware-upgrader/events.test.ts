import test from 'ava';
import type { EventDocument } from '../../../events/index.js';
import { addBuild, addCategory, idOf, imageForm, startUpgrader } from './support.js';

test('whoever changes a category, a build or an image is named in the commit that does, with what he showed', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, events, north } = upgrader;
  const category = await addCategory(upgrader, 'Gateways');
  const build = await addBuild(upgrader, category, '1');
  const noted = async () => {
    const found: EventDocument[] = [];
    for await (const event of events.scan({ order: 'ascending' }))
      if (event.by?.name === 'operator@north' && event.subject !== 'log-in') found.push(event);
    return found;
  };
  let image = '';
  const by = { name: 'operator@north', how: 'token', address: '127.0.0.1', organization: north.id };
  const changes: readonly (readonly [
    string,
    () => string,
    unknown,
    readonly (readonly [string, string])[],
  ])[] = [
    [
      'POST',
      () => 'category/',
      { json: { name: 'New', organization: north.id } },
      [['added', 'image-category']],
    ],
    [
      'PUT',
      () => `category/${category}/`,
      { json: { name: 'B', organization: north.id } },
      [['changed', 'image-category']],
    ],
    ['PATCH', () => `category/${category}/`, { json: { name: 'C' } }, [['changed', 'image-category']]],
    ['POST', () => 'build/', { json: { category, version: '2' } }, [['added', 'image-build']]],
    ['PUT', () => `build/${build}/`, { json: { category, version: '3' } }, [['changed', 'image-build']]],
    ['PATCH', () => `build/${build}/`, { json: { os: 'X' } }, [['changed', 'image-build']]],
    ['POST', () => `build/${build}/image/`, { body: imageForm('firmware', 'a.bin') }, [['added', 'image']]],
    ['DELETE', () => `build/${build}/image/${image}/`, {}, [['removed', 'image']]],
    ['DELETE', () => `build/${build}/`, {}, [['removed', 'image-build']]],
    [
      'DELETE',
      () => `category/${category}/`,
      {},
      [
        ['removed', 'image-build'],
        ['removed', 'image-category'],
      ],
    ],
  ];
  for (const [method, pathOf, asked, told] of changes) {
    const before = (await noted()).length;
    const answer = await ask(method, pathOf(), asked as Parameters<typeof ask>[2]);
    t.true(answer.status < 300, `${method} ${pathOf()} ${answer.text}`);
    if (pathOf().endsWith('/image/')) image = idOf(answer);
    const added = (await noted()).slice(before);
    t.deepEqual(
      added.map(({ action, subject }) => [action, subject]),
      told.map(([action, subject]) => [action, subject]),
    );
    for (const event of added)
      t.like(event.by, { ...by, requestId: answer.headers.get('X-Request-Id') ?? '' });
  }
});
