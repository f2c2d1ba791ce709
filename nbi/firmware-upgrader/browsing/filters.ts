import { type Html, html, optionPart } from '../../pages/index.js';
import type { Endpoint, Filter } from '../manners/index.js';

const PAGE_SIZES = ['10', '25', '50', '100'];

/** The form by which a list is narrowed and sorted. @param query  of the page: what is chosen now */
export function filterForm(
  { filters, ordering }: NonNullable<Endpoint['list']>,
  here: string,
  query: URLSearchParams,
): Html {
  const said = (name: string) => query.getAll(name).at(-1) ?? '';
  const sorted = ordering.keys.flatMap((key) => [
    { value: key, label: `${wordsOf(key)}, ascending` },
    { value: `-${key}`, label: `${wordsOf(key)}, descending` },
  ]);
  const sizes = PAGE_SIZES.map((size) => ({ value: size, label: size }));
  return html`<section>
<h2 id="filters">What is shown</h2>
<form class="filters" method="get" action="${here}" aria-labelledby="filters">
${filters.map((filter) => filterPart(filter, said(filter.name)))}${inputPart('organization', 'Organization (its slug)', said('organization'))}${sorted.length > 0 && choicePart('ordering', 'Sorted by', sorted, said('ordering'))}${choicePart('page_size', 'Of a page', sizes, said('page_size'))}<p><button type="submit">Show</button> <a href="${here}">All</a></p>
</form>
</section>
`;
}

function filterPart(filter: Filter, value: string): Html {
  const { name } = filter;
  const label = wordsOf(name);
  switch (filter.kind) {
    case 'choice': {
      const choices = filter.choices.map((choice) => ({ value: choice, label: choice }));
      return choicePart(name, label, choices, value);
    }
    case 'text':
    case 'reference':
    case 'id':
    case 'time':
      return inputPart(name, label, value);
    default:
      return filter satisfies never;
  }
}

function inputPart(name: string, label: string, value: string): Html {
  return html`<p><label for="filter-${name}">${label}</label>
<input id="filter-${name}" name="${name}" value="${value}" autocomplete="off" spellcheck="false"></p>
`;
}

function choicePart(
  name: string,
  label: string,
  choices: readonly { readonly value: string; readonly label: string }[],
  value: string,
): Html {
  return html`<p><label for="filter-${name}">${label}</label>
<select id="filter-${name}" name="${name}">
<option value="">–</option>
${choices.map((choice) => optionPart(choice, value))}</select></p>
`;
}

/** `device__organization__slug` is read as `Device organization slug`. */
function wordsOf(name: string): string {
  const words = name.replace(/_+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
