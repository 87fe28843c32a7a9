import { analyse, freeze, load, runGraph, tensorValue } from '../../dist/index.js';
import { bag, darkBag, HEIGHT, WIDTH } from './scenes.mjs';
import { sheet } from './sheet.mjs';

const [INPUT, OUTPUT] = ['input/image_input:0', 'output/image_output:0'];

/**
 * What the graph as saved and the repaired one make of a picture, alone and in a batch with another one.
 * @param saved - the saved model
 * @param repaired - the file that bnfix wrote
 * @returns a PNG file, and by how much the output of each graph changes, relative to its largest possible value
 */
export async function drawDemo(saved, repaired) {
  const [before, after] = [await outputsOf(saved, asSaved), await outputsOf(repaired, ({ graph }) => graph)];
  const picture = bag();
  const png = sheet(
    ['input', 'graph as saved', 'repaired by bnfix'],
    [
      { lines: ['alone'], pictures: [picture, before.alone, after.alone] },
      { lines: ['in one', 'batch', 'with'], small: darkBag(), pictures: [picture, before.beside, after.beside] },
    ],
  );
  return { png, changes: { saved: change(before), repaired: change(after) } };
}

/** The graph with its batch norms as they were saved. Its dropout is removed: with it, no two outputs would be equal. */
function asSaved(model) {
  return freeze(model, { keep: analyse(model).batchNorms.map(({ name }) => name) }).graph;
}

async function outputsOf(path, graphOf) {
  const model = await load(path);
  try {
    const graph = graphOf(model);
    return { alone: await firstOutput(graph, [bag()]), beside: await firstOutput(graph, [bag(), darkBag()]) };
  } finally {
    model.close();
  }
}

/** What a graph makes of the first picture of a batch. */
async function firstOutput(graph, pictures) {
  const batch = new Float32Array(pictures.flatMap((pixels) => [...pixels]));
  const image = tensorValue('float32', [pictures.length, HEIGHT, WIDTH, 3], batch);
  const { [OUTPUT]: output } = await runGraph(graph, { [INPUT]: image }, [OUTPUT]);
  return output.data.subarray(0, HEIGHT * WIDTH * 3);
}

/** The largest difference between the outputs, which are from 0 to 1. */
function change({ alone, beside }) {
  return alone.reduce((most, value, i) => Math.max(most, Math.abs(value - beside[i])), 0);
}
