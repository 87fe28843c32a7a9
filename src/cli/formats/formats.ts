import type { ReportFormat } from './format.js';

/** The formats of reports for other programs, each loaded when it is used. */
export const FORMATS: Readonly<Record<string, () => Promise<ReportFormat>>> = {
  json: async () => (await import('./json.js')).json,
  github: async () => (await import('./github.js')).github,
  junit: async () => (await import('./junit.js')).junit,
  sarif: async () => (await import('./sarif.js')).sarif,
};
