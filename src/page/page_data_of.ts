import { inspectAnalysis, opCounts } from '../diagnosis/inspect.js';
import type { Analysis } from '../freezing/analysis.js';
import type { FoldReport } from '../freezing/fold_report.js';
import type { FreezeReport } from '../freezing/report.js';
import type { Graph } from '../graph/graph.js';
import { graphView } from './graph_view.js';
import type { CommandData, FileData, PageData, RefusalData, VerificationData } from './page_data.js';

/** What a page says beside the analysis of a model. */
export interface PageSubject {
  readonly command: CommandData;
  /** What was made of the model; undefined if it was only inspected, or refused. */
  readonly result?:
    | {
        readonly graph: Graph;
        readonly report: FreezeReport | FoldReport;
        /** The file with the result; undefined if it was not written. */
        readonly written: FileData | undefined;
      }
    | undefined;
  /** What was proved. */
  readonly verification?: VerificationData | undefined;
  /** Why the model was refused. */
  readonly refusal?: RefusalData | undefined;
}

/** What a page shows of a model. */
export function pageDataOf(analysis: Analysis, { command, result, verification, refusal }: PageSubject): PageData {
  const inspection = inspectAnalysis(analysis);
  return {
    command,
    inspection,
    result: result && { report: result.report, ops: opCounts(result.graph), written: result.written },
    refusal,
    verification,
    graph: graphView(analysis.graph, inspection, result?.report),
  };
}
