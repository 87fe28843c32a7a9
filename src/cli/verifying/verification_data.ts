import type { ExampleData, VerificationData } from '../../page/page_data.js';
import { type Pictured, picturedExamples } from '../../page/pictured.js';
import type { VerifyReport } from '../../proof/report.js';
import type { VerifiedValues } from '../../proof/verified_values.js';
import { writePng } from '../data/image.js';

/** A page stays small enough to be sent: the images of further examples are left out. */
const MOST_BYTES = 2e6;

/** What a page shows of a verification. */
export function verificationData(report: VerifyReport, values: VerifiedValues | undefined): VerificationData {
  const examples: ExampleData[] = [];
  let bytes = 0;
  for (const { example, pictures } of values ? picturedExamples(values) : []) {
    const drawn = pictures.map(({ raster, ...rest }) => ({ ...rest, ...imageOf(raster) }));
    bytes += drawn.reduce((sum, { uri }) => sum + uri.length, 0);
    if (examples.length > 0 && bytes > MOST_BYTES) break;
    examples.push({ example, pictures: drawn });
  }
  return { report, examples };
}

function imageOf({ width, height, channels, pixels }: Pictured['raster']) {
  const png = Buffer.from(writePng(width, height, channels, pixels));
  return { width, height, uri: `data:image/png;base64,${png.toString('base64')}` };
}
