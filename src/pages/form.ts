import { validateSync } from 'class-validator';
import { html, type Html } from './html.js';

/** What is wrong with the fields of a form, by their names. */
export type Problems<Field extends string = string> = Partial<Record<Field, string>>;

/** Checks the fields of a form by the rules of a DTO; `messages` says for people what is asked of each. */
export function checkForm<T extends object>(
  Dto: new () => T,
  fields: T,
  messages: Record<keyof T & string, string>,
): Problems<keyof T & string> {
  const errors = validateSync(Object.assign(new Dto(), fields));
  const wrong = errors.map(({ property }) => property as keyof T & string);
  return Object.fromEntries(wrong.map((field) => [field, messages[field]])) as Problems<keyof T & string>;
}

/** A text field of a parsed form body; '' when it is not there or not one text. */
export function fieldOf(body: unknown, name: string): string {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return '';
  const value = (body as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}

/** A labelled input with its hint and what is wrong with it. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'email' | 'password';
  readonly autocomplete: string;
  readonly value?: string;
  readonly hint?: string;
  readonly problem?: string;
  readonly inputmode?: 'decimal';
}

export function field({ name, label, type = 'text', autocomplete, value, hint, problem, inputmode }: Field): Html {
  const described = [hint !== undefined && `${name}-hint`, problem !== undefined && `${name}-problem`].filter(Boolean);
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      required
      ${value !== undefined && html`value="${value}"`}
      ${inputmode !== undefined && html`inputmode="${inputmode}"`}
      ${described.length > 0 && html`aria-describedby="${described.join(' ')}"`}
      ${problem !== undefined && html`aria-invalid="true"`}
    />
    ${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    ${problem !== undefined && html`<p class="problem" id="${name}-problem">${problem}</p>`}
  </div>`;
}

/** Says aloud that a form was not accepted. */
export function alert(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<p class="notice bad" role="alert">${text}</p>`;
}
