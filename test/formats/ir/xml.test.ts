import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { XmlPrinter } from '../../../lib/formats/ir/print-xml.ts';
import { parseXml } from '../../../lib/formats/ir/xml.ts';

function errorOf(action: () => unknown): LowpError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof LowpError, `not a LowpError: ${String(error)}`);
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('parseXml', () => {
  it('gives elements with attributes, children, text and lines', () => {
    const root = parseXml('<?xml version="1.0"?>\n<a x="1">\n <b y="&lt;&#65;"/>\n <c> t </c>\n</a>');
    assert.equal(root.name, 'a');
    assert.deepEqual(root.attributes, { x: '1' });
    assert.deepEqual(
      root.children.map((c) => [c.name, c.attributes, c.text, c.line]),
      [
        ['b', { y: '<A' }, undefined, 3],
        ['c', {}, ' t ', 4],
      ],
    );
  });

  it('keeps an attribute with the name of a property of objects', () => {
    const root = parseXml('<a __proto__="p" constructor="c"/>');
    assert.deepEqual(Object.entries(root.attributes), [
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
  });

  it('accepts a byte order mark', () => {
    assert.equal(parseXml(Buffer.from('\ufeff<a/>')).name, 'a');
  });

  it('refuses a DOCTYPE, also without entities', () => {
    const bomb = '<!DOCTYPE a [<!ENTITY x "xxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>';
    assert.equal(errorOf(() => parseXml(bomb)).code, 'ERR_IR_DTD');
    assert.equal(errorOf(() => parseXml('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>')).code, 'ERR_IR_DTD');
  });

  it('names line and column of what is not well-formed', () => {
    const error = errorOf(() => parseXml('<a>\n  <b></c>\n</a>'));
    assert.equal(error.code, 'ERR_IR_SYNTAX');
    assert.match(error.message, /^line 2, column 9: unexpected close tag/);
  });

  for (const [what, text] of [
    ['nothing', ' '],
    ['a duplicate attribute', '<a x="1" x="2"/>'],
    ['an unterminated comment', '<a><!-- '],
    ['an unterminated CDATA section', '<a><![CDATA[ '],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['the character 0', '<a>&#0;</a>'],
    ['a character beyond Unicode', '<a>&#x110000;</a>'],
    ['a NUL byte', '<a>\u0000</a>'],
    ['two roots', '<a/><b/>'],
    ['an open element', '<a>'],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>'],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(errorOf(() => parseXml(text)).code, 'ERR_IR_SYNTAX'));
  }

  it('refuses UTF-16 and invalid UTF-8', () => {
    assert.match(errorOf(() => parseXml(Buffer.from('\ufeff<a/>', 'utf16le'))).message, /UTF-16/);
    assert.match(errorOf(() => parseXml(Uint8Array.of(0x3c, 0x61, 0xff, 0x2f, 0x3e))).message, /UTF-8/);
  });

  it('bounds depth, attributes, elements and characters', () => {
    const limits = { depth: 4, attributes: 2, elements: 5, characters: 200 };
    const tooMuch = [
      '<a>'.repeat(5) + '</a>'.repeat(5),
      '<a p="" q="" r=""/>',
      `<a>${'<b/>'.repeat(5)}</a>`,
      `<a x="${' '.repeat(200)}"/>`,
    ];
    for (const text of tooMuch) assert.equal(errorOf(() => parseXml(text, { limits })).code, 'ERR_LIMIT_SIZE');
    assert.equal(parseXml('<a>'.repeat(4) + '</a>'.repeat(4), { limits }).name, 'a');
  });

  it('stops at the depth limit before a million levels are built', () => {
    assert.equal(errorOf(() => parseXml('<a>'.repeat(1e6))).code, 'ERR_LIMIT_SIZE');
  });
});

describe('XmlPrinter', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((s) => !/[\p{Cc}\ufffe\uffff]|\p{Surrogate}/u.test(s));

  it('prints what is read back equal, whatever attributes and texts contain', () => {
    fc.assert(
      fc.property(text, text, (attribute, content) => {
        const printer = new XmlPrinter();
        printer.element('a', { x: `${attribute}\t\n\r<>&"'` }, () => printer.leaf('b', {}, `${content}<&>]]>\n x`));
        const root = parseXml(printer.toString());
        assert.equal(root.attributes.x, `${attribute}\t\n\r<>&"'`);
        assert.equal(root.children[0]!.text, `${content}<&>]]>\n x`);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('refuses characters that XML 1.0 cannot hold', () => {
    for (const bad of ['\u0001', '\ud800', '\uffff']) {
      assert.equal(errorOf(() => new XmlPrinter().leaf('a', { x: bad })).code, 'ERR_FORMAT_UNSUPPORTED');
    }
  });
});
