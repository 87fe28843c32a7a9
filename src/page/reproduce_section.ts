import { html, type Markup } from './markup.js';
import type { FileData, PageData } from './page_data.js';

/** How to make the page again: the command line, versions, files with their hashes. */
export function reproduceSection({ command, inspection, result }: PageData): Markup {
  const { tensorflow, producer } = inspection.model;
  const versions = [
    ...command.versions,
    ...(tensorflow === undefined ? [] : [`model written by TensorFlow ${tensorflow}`]),
    ...(producer === undefined ? [] : [`GraphDef version ${producer}`]),
  ];
  const files = [
    ...command.read.map((file) => fileRow('read', file)),
    ...(result?.written ? [fileRow('written', result.written)] : []),
  ];
  return html`<section id="reproduce" aria-labelledby="reproduce-title">
<h2 id="reproduce-title">How to reproduce</h2>
<div class="command"><pre tabindex="0" aria-label="Command line"><code>${command.line}</code></pre><button type="button" class="copy">Copy</button></div>
<p class="versions">${versions.map((version) => html`<span>${version}</span> `)}</p>
${files.length === 0 ? '' : html`<details${command.read.length <= 8 ? html` open` : ''}><summary>Files and their sha256</summary><ul class="files">${files}</ul></details>`}
</section>
`;
}

function fileRow(what: string, { path, sha256 }: FileData): Markup {
  return html`<li><span>${what}</span><bdi>${path}</bdi><code>${sha256 ?? 'not computed'}</code></li>`;
}
