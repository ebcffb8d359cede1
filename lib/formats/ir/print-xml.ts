// Printing XML: one element a line, tabs, attributes in the given order; refuses what XML 1.0 cannot hold.
import { LowpError } from '../../errors/lowp-error.ts';
import type { MetaElement } from '../../graph/model.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML forbids
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Collects the lines of a document. */
export class XmlPrinter {
  readonly #lines: string[] = ['<?xml version="1.0"?>'];
  #indent = '';

  /** An element without content, or with text only. */
  leaf(name: string, attributes: Readonly<Record<string, string>>, text?: string): void {
    const head = `${this.#indent}<${checkName(name)}${attributeText(attributes)}`;
    this.#lines.push(text === undefined ? `${head}/>` : `${head}>${escapeText(text)}</${name}>`);
  }

  /** An element with the elements that `content` prints. */
  element(name: string, attributes: Readonly<Record<string, string>>, content: () => void): void {
    this.#lines.push(`${this.#indent}<${checkName(name)}${attributeText(attributes)}>`);
    const outer = this.#indent;
    this.#indent = `${outer}\t`;
    content();
    this.#indent = outer;
    this.#lines.push(`${outer}</${name}>`);
  }

  /** A kept tree. Text beside child elements follows them. */
  tree(element: MetaElement): void {
    if (element.children.length === 0) {
      this.leaf(element.name, element.attributes, element.text);
      return;
    }
    this.element(element.name, element.attributes, () => {
      for (const child of element.children) this.tree(child);
      if (element.text !== undefined) this.#lines.push(escapeText(element.text));
    });
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function attributeText(attributes: Readonly<Record<string, string>>): string {
  let text = '';
  for (const [name, value] of Object.entries(attributes)) text += ` ${checkName(name)}="${escapeAttribute(value)}"`;
  return text;
}

function checkName(name: string): string {
  if (/^[\p{L}_:][\p{L}\p{N}\p{M}_:.\-\u00b7]*$/u.test(name)) return name;
  throw new LowpError(
    'ERR_FORMAT_UNSUPPORTED',
    `${JSON.stringify(name)} cannot be the name of an XML element or attribute`,
  );
}

/** @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` for control characters and lone surrogates */
function check(text: string): string {
  if (!forbidden.test(text)) return text;
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `${JSON.stringify(text)} contains characters that XML cannot hold`, {
    help: 'Rename the node or tensor.',
  });
}

function escapeAttribute(text: string): string {
  return check(text).replace(/[&<>"\t\n\r]/g, (c) => escapes[c]!);
}

function escapeText(text: string): string {
  return check(text).replace(/[&<>\r]/g, (c) => escapes[c]!);
}
