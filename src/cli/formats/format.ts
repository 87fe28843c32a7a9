import type { CheckReport } from '../../diagnosis/check_report.js';

/** Writes a report of `bnfix check` for another program, as lines. */
export type ReportFormat = (report: CheckReport) => readonly string[];
