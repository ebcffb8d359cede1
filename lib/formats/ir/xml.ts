// Reading XML into a tree of elements, with limits: what an IR may contain, and nothing else.
import { SaxesParser } from 'saxes';
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import type { MetaElement } from '../../graph/model.ts';

/** An element of a read file. */
export interface XmlElement extends MetaElement {
  readonly children: readonly XmlElement[];
  /** Line in the file, from 1. */
  readonly line: number;
}

/** Ends of what is accepted; real files stay far below. */
export interface XmlLimits {
  /** Nested elements. */
  readonly depth: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Elements of the file. */
  readonly elements: number;
  /** Characters of the file. */
  readonly characters: number;
}

export const defaultXmlLimits: XmlLimits = {
  depth: limits.xmlDepth.value,
  attributes: limits.xmlAttributes.value,
  elements: limits.xmlElements.value,
  characters: limits.xmlCharacters.value,
};

/** How to read. */
export interface XmlOptions {
  readonly path?: string | undefined;
  readonly limits?: Partial<XmlLimits>;
  /** Elements of these names are checked but not kept. */
  readonly skip?: ReadonlySet<string>;
}

/** An element while it is being read. */
interface OpenElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: OpenElement[];
  readonly line: number;
  text?: string;
}

/**
 * The root element.
 *
 * Text that is not blank is kept as it is written; beside child elements it is trimmed. Comments and processing
 * instructions are dropped.
 *
 * @throws {LowpError} `ERR_IR_SYNTAX` with line and column for anything that is not well-formed UTF-8 XML 1.0,
 *   `ERR_IR_DTD` for a DOCTYPE, `ERR_LIMIT_SIZE` beyond the limits
 */
export function parseXml(source: string | Uint8Array, options: XmlOptions = {}): XmlElement {
  const allowed = { ...defaultXmlLimits, ...options.limits };
  if (source.length > allowed.characters) {
    throw new LowpError('ERR_LIMIT_SIZE', `the XML has more than ${allowed.characters} characters`, pathOf(options));
  }
  const text = typeof source === 'string' ? source : decodeUtf8(source, options);
  const reader = new TreeReader(allowed, options);
  return reader.read(text);
}

function pathOf(options: XmlOptions): { path?: string } {
  return options.path === undefined ? {} : { path: options.path };
}

function decodeUtf8(bytes: Uint8Array, options: XmlOptions): string {
  const wide =
    bytes.length >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff));
  if (wide) throw new LowpError('ERR_IR_SYNTAX', 'the XML is encoded in UTF-16, expected UTF-8', pathOf(options));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LowpError('ERR_IR_SYNTAX', 'the XML contains bytes that are not UTF-8', { ...pathOf(options), cause });
  }
}

/** Builds the tree from the events of the parser. */
class TreeReader {
  readonly #parser = new SaxesParser();
  readonly #limits: XmlLimits;
  readonly #options: XmlOptions;
  readonly #open: OpenElement[] = [];
  #root: OpenElement | undefined;
  #elements = 0;
  #attributes = 0;

  constructor(allowed: XmlLimits, options: XmlOptions) {
    this.#limits = allowed;
    this.#options = options;
    const parser = this.#parser;
    parser.on('error', (error) => this.#fail('ERR_IR_SYNTAX', error.message.replace(/^\d+:\d+: /, '')));
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding && !/^(utf-?8|us-ascii)$/i.test(encoding)) {
        this.#fail('ERR_IR_SYNTAX', `the XML declares the encoding ${encoding}, expected UTF-8`);
      }
    });
    parser.on('doctype', () => this.#fail('ERR_IR_DTD', 'the XML contains a DOCTYPE, which an IR does not have'));
    parser.on('opentagstart', () => {
      this.#attributes = 0;
      if (++this.#elements > allowed.elements) {
        this.#fail('ERR_LIMIT_SIZE', `the XML has more than ${allowed.elements} elements`);
      }
    });
    parser.on('attribute', () => {
      if (++this.#attributes > allowed.attributes) {
        this.#fail('ERR_LIMIT_SIZE', `an element has more than ${allowed.attributes} attributes`);
      }
    });
    parser.on('opentag', (tag) => this.#begin(tag.name, tag.attributes));
    parser.on('closetag', () => this.#end());
    parser.on('text', (text) => this.#text(text));
    parser.on('cdata', (text) => this.#text(text));
  }

  read(text: string): XmlElement {
    this.#parser.write(text);
    this.#parser.close();
    if (!this.#root) return this.#fail('ERR_IR_SYNTAX', 'the XML has no element');
    return this.#root;
  }

  #begin(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#open.length >= this.#limits.depth) {
      this.#fail('ERR_LIMIT_SIZE', `elements are nested deeper than ${this.#limits.depth}`);
    }
    const element: OpenElement = { name, attributes: { ...attributes }, children: [], line: this.#parser.line };
    const parent = this.#open.at(-1);
    if (!parent) this.#root = element;
    else if (!this.#options.skip?.has(name)) parent.children.push(element);
    this.#open.push(element);
  }

  #end(): void {
    const element = this.#open.pop();
    if (element?.text !== undefined && element.children.length > 0) element.text = element.text.trim();
  }

  #text(text: string): void {
    const element = this.#open.at(-1);
    if (!element || text.trim() === '') return;
    element.text = element.text === undefined ? text : element.text + text;
  }

  #fail(code: 'ERR_IR_SYNTAX' | 'ERR_IR_DTD' | 'ERR_LIMIT_SIZE', message: string): never {
    const { line, column } = this.#parser;
    throw new LowpError(code, `line ${line}, column ${column}: ${message}`, pathOf(this.#options));
  }
}

/** The first child of that name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((c) => c.name === name);
}

/** All children of that name; none when the element is absent. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((c) => c.name === name) ?? [];
}
