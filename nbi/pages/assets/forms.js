// Sends the forms of a page to the API, as any script would: with the token of the session, as JSON, or with a file as multipart/form-data.
// What is wrong is told beside the field that it is about.

for (const form of document.querySelectorAll('form[data-method]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(form);
  });
}

async function send(form) {
  const { method, leadsTo, confirm: question } = form.dataset;
  if (question !== undefined && !confirm(question)) return;
  const button = form.querySelector('button');
  button.disabled = true;
  clear(form);
  try {
    const answer = await fetch(form.getAttribute('action'), {
      method,
      ...bodyOf(form, method),
      credentials: 'same-origin',
    });
    const text = await answer.text();
    const said = text === '' ? {} : JSON.parse(text);
    if (answer.ok) location.assign(pathOf(leadsTo, said));
    else show(form, said, answer.status);
  } catch {
    tell(form, '', 'No answer came. Look whether it has been done before you try again.');
  } finally {
    button.disabled = false;
  }
}

function bodyOf(form, method) {
  const headers = { Accept: 'application/json', 'X-CSRFToken': tokenOf() };
  if (method === 'DELETE') return { headers };
  if (form.querySelector('input[type=file]') !== null) return { headers, body: new FormData(form) };
  const said = {};
  for (const field of form.elements) {
    if (field.name === '' || (method === 'PATCH' && !isChanged(field))) continue;
    const value = valueIn(field);
    if (value !== undefined) said[field.name] = value;
  }
  return { headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(said) };
}

function isChanged(field) {
  if (field.type === 'checkbox') return field.checked !== field.defaultChecked;
  if (field.options === undefined) return field.value !== field.defaultValue;
  return [...field.options].some((option) => option.selected !== option.defaultSelected);
}

function valueIn({ type, checked, value, dataset }) {
  if (type === 'checkbox') return checked;
  if (value !== '') return value;
  if (dataset.empty === 'nothing') return undefined;
  return dataset.empty === 'null' ? null : '';
}

function tokenOf() {
  return /(?:^|; )csrftoken=([\w-]+)/.exec(document.cookie)?.[1] ?? '';
}

// Where the answer's own words stand in a path they are one segment of it.
function pathOf(leadsTo, said) {
  return leadsTo.replace(/\{(\w+)\}/g, (_all, name) => encodeURIComponent(String(said[name] ?? '')));
}

function clear(form) {
  for (const place of form.querySelectorAll('[data-error]')) place.hidden = true;
  for (const field of form.elements) field.removeAttribute('aria-invalid');
}

function show(form, said, status) {
  const problems =
    typeof said === 'object' && said !== null && !Array.isArray(said) ? Object.entries(said) : [];
  if (problems.length === 0) tell(form, '', `It was not done (${status}).`);
  for (const [name, words] of problems) tell(form, name, [words].flat().map(String).join(' '));
  if (status === 401) tell(form, '', 'You are not logged in any more. Log in, and come back to this page.');
}

// Only ever as text.
function tell(form, name, words) {
  const places = [...form.querySelectorAll('[data-error]')];
  const own = name === '' ? undefined : places.find((place) => place.dataset.error === name);
  const place = own ?? places.find((each) => each.dataset.error === '');
  place.textContent =
    own === undefined && !/^(?:|detail|error|non_field_errors|__all__)$/.test(name)
      ? `${name}: ${words}`
      : words;
  place.hidden = false;
  const field = own === undefined ? null : form.elements.namedItem(name);
  if (field === null) return;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}
