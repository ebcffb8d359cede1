// One self-contained page: no script, no request to anywhere, every name from a model escaped.
import { writeFilesAtomically } from '../formats/index.ts';

/** Markup that was made here; anything else is text and gets escaped. */
export interface Markup {
  readonly html: string;
}

export interface Section {
  readonly title: string;
  readonly body: readonly Markup[];
}

const style = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1d2733; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .3rem .8rem; border-bottom: 1px solid #d7dee6; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } p.note { color: #52606d; } svg { max-width: 100%; height: auto; }`;

/** `&`, `<`, `>` and quotes as entities. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (c) => entities[c]!);
}

export function paragraph(text: string): Markup {
  return { html: `<p class="note">${escapeHtml(text)}</p>` };
}

/** A table; cells that look like numbers stand to the right. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): Markup {
  const cell = (text: string): string =>
    `<td${/^[-+]?[\d.]/.test(text) ? ' class="number"' : ''}>${escapeHtml(text)}</td>`;
  const body = rows.map((r) => `<tr>${r.map(cell).join('')}</tr>`).join('\n');
  return {
    html: `<table><thead><tr>${head.map((h) => `<th>${escapeHtml(h)}</th>`).join('')}</tr></thead><tbody>${body}</tbody></table>`,
  };
}

export function htmlPage(title: string, sections: readonly Section[]): string {
  const body = sections
    .map((s) => `<section><h2>${escapeHtml(s.title)}</h2>${s.body.map((b) => b.html).join('\n')}</section>`)
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><style>${style}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${body}
</body></html>
`;
}

/**
 * Writes a page, whole or not at all.
 *
 * @throws {LowpError} `ERR_IO_WRITE`
 */
export function writePage(file: string, html: string): Promise<void> {
  return writeFilesAtomically([{ path: file, content: html }]);
}
