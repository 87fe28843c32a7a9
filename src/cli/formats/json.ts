import { jsonLines } from '../json.js';
import type { ReportFormat } from './format.js';

/** The report itself; docs/check.schema.json is its schema. */
export const json: ReportFormat = jsonLines;
