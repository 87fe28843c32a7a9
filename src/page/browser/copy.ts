/** The buttons beside texts for pasting. */
export function startCopying(): void {
  for (const button of document.querySelectorAll<HTMLElement>('.copy')) {
    const text = button.previousElementSibling?.textContent ?? '';
    button.addEventListener('click', () => copyText(text, button));
  }
}

/** Copies a text, and says so on the button. */
export async function copyText(text: string, button: HTMLElement): Promise<void> {
  const label = button.textContent ?? '';
  const isCopied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => copyBySelection(text),
  );
  button.textContent = (isCopied ?? copyBySelection(text)) ? 'Copied' : 'Not allowed';
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}

/** For pages that may not use the clipboard. */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
