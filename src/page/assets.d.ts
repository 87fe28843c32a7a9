/** The style sheet of pages. */
export const style: string;
/** The program of pages. */
export const script: string;
/** The hash of {@link style} for the Content-Security-Policy: `sha256-...`. */
export const styleHash: string;
/** The hash of {@link script}. */
export const scriptHash: string;
/** The licences of the packages that the script contains. */
export const licences: string;
