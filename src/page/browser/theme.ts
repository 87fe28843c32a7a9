import { byId } from './elements.js';

const KEY = 'bnfix-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;

/** Calls back when colours have changed. */
export function onTheme(changed: () => void): void {
  watchers.push(changed);
}
const watchers: (() => void)[] = [];

/** The button that changes between light and dark; without it, the page has the theme of the system. */
export function startTheme(): void {
  const stored = storage()?.getItem(KEY);
  if (stored === 'light' || stored === 'dark') root.dataset.theme = stored;
  const button = byId('theme');
  const show = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Change to the ${isDark() ? 'light' : 'dark'} theme`);
    for (const changed of watchers) changed();
  };
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    storage()?.setItem(KEY, root.dataset.theme);
    show();
  });
  dark.addEventListener('change', show);
  show();
  printInLight(show);
}

function isDark(): boolean {
  return root.dataset.theme === undefined ? dark.matches : root.dataset.theme === 'dark';
}

/** Paper is white: what the script has drawn is drawn again. */
function printInLight(show: () => void): void {
  let before: string | undefined;
  addEventListener('beforeprint', () => {
    before = root.dataset.theme;
    root.dataset.theme = 'light';
    show();
  });
  addEventListener('afterprint', () => {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
    show();
  });
}

/** A file may have no storage. */
function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
