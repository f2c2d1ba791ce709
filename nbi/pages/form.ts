import { type Html, html, NOTHING } from './html.js';
import { ASSETS_PATH } from './page.js';

/** The script that sends forms to an API as scripts do. */
export const FORM_SCRIPT = `${ASSETS_PATH}forms.js`;

/** What is typed, chosen or picked for one field. */
export type FormField = {
  readonly name: string;
  readonly label: string;
  readonly isRequired?: boolean;
  readonly help?: string;
} & (
  | {
      readonly kind: 'text';
      readonly value?: string;
      readonly charactersMax?: number;
      /** Of several lines. */
      readonly isLong?: boolean;
      /** What is sent for nothing: an empty text, null, or nothing at all. */
      readonly empty?: 'text' | 'null' | 'nothing';
    }
  | {
      readonly kind: 'choice';
      readonly value?: string;
      readonly choices: readonly { readonly value: string; readonly label: string }[];
      readonly empty?: 'text' | 'null' | 'nothing';
    }
  | { readonly kind: 'check'; readonly isChecked: boolean }
  | { readonly kind: 'file' }
);

/** A form that changes something by a call of an API. */
export interface CallForm {
  /** Tells the forms of a page apart. */
  readonly id: string;
  readonly title: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly fields: readonly FormField[];
  /** What the button says. */
  readonly submit: string;
  /** What is asked before it is sent; null: nothing. */
  readonly confirm?: string;
  /** Where it leads once it is done; `{name}` stands for a field of the answer. */
  readonly leadsTo: string;
}

/**
 * A form for {@link FORM_SCRIPT}. It is sent as JSON, of PATCH what has been changed alone, and as `multipart/form-data` where it has a file.
 * What is wrong is told beside the field.
 */
export function callForm(form: CallForm): Html {
  const { id, title, method, path, fields, submit, confirm, leadsTo } = form;
  const isDanger = method === 'DELETE';
  // Who takes a form apart as it comes wants to know everything else before the file.
  const inOrder = [
    ...fields.filter(({ kind }) => kind !== 'file'),
    ...fields.filter(({ kind }) => kind === 'file'),
  ];
  return html`<section>
<h2 id="${id}">${title}</h2>
<form class="fields" method="post" action="${path}" aria-labelledby="${id}" data-method="${method}" data-leads-to="${leadsTo}"${confirm !== undefined && html` data-confirm="${confirm}"`}>
<noscript><p class="problem">This form needs the script of this page.</p></noscript>
<p class="problem" role="alert" data-error="" hidden></p>
${inOrder.map((field) => fieldPart(id, field))}<p><button type="submit"${isDanger && html` class="danger"`}>${submit}</button></p>
</form>
</section>
`;
}

function fieldPart(form: string, field: FormField): Html {
  const { name, label, help, isRequired = false } = field;
  const id = `${form}-${name}`;
  const required = isRequired ? html` required` : NOTHING;
  const described = html` aria-describedby="${id}-error${help === undefined ? '' : ` ${id}-help`}"`;
  const below = html`${help !== undefined && html`<span class="muted" id="${id}-help">${help}</span>`}<span class="error" role="alert" id="${id}-error" data-error="${name}" hidden></span></p>
`;
  if (field.kind === 'check') {
    return html`<p><label class="check"><input type="checkbox" id="${id}" name="${name}"${field.isChecked && html` checked`}${described}> ${label}</label> ${below}`;
  }
  const labelled = html`<p><label for="${id}">${label}${!isRequired && html` <span class="muted">(optional)</span>`}</label>
`;
  switch (field.kind) {
    case 'text': {
      const { value = '', charactersMax, isLong = false, empty = 'text' } = field;
      const most = charactersMax === undefined ? NOTHING : html` maxlength="${charactersMax}"`;
      // A line end at the begin of a textarea is none of its text.
      return isLong
        ? html`${labelled}<textarea id="${id}" name="${name}" rows="4" data-empty="${empty}"${most}${required}${described}>\n${value}</textarea>${below}`
        : html`${labelled}<input id="${id}" name="${name}" value="${value}" data-empty="${empty}" autocomplete="off" spellcheck="false"${most}${required}${described}>${below}`;
    }
    case 'choice': {
      const { value = '', choices, empty = 'text' } = field;
      return html`${labelled}<select id="${id}" name="${name}" data-empty="${empty}"${required}${described}>
<option value="">–</option>
${choices.map((choice) => optionPart(choice, value))}</select>${below}`;
    }
    case 'file':
      return html`${labelled}<input type="file" id="${id}" name="${name}"${required}${described}>${below}`;
    default:
      return field satisfies never;
  }
}

/** One of what can be chosen. */
export function optionPart(choice: { readonly value: string; readonly label: string }, chosen: string): Html {
  const { value, label } = choice;
  return html`<option value="${value}"${value === chosen && html` selected`}>${label}</option>
`;
}
