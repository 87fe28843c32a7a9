import type { ReportFormat } from './format.js';

/** The formats of reports for other programs, each loaded when it is used. */
export const FORMATS: Readonly<Record<string, () => Promise<ReportFormat>>> = {
  json: async () => (await import('./json.js')).json,
};
