import type { CheckpointSearch } from '../graph/model.js';
import { filesIn, folderOf, inFolder, isFolder, nameOf } from './files.js';

/** Files of a checkpoint, by their names. */
const PART = /(\.index|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5})$/;

/** Where the checkpoint of a graph would be, and what is there instead. */
export function searchCheckpoint(graph: string): CheckpointSearch {
  const folder = folderOf(graph);
  if (nameOf(graph).startsWith('saved_model.pb')) {
    const variables = inFolder(folder, 'variables');
    const wanted = ['variables.index', 'variables.data-00000-of-00001'].map((name) => inFolder(variables, name));
    return { wanted, found: isFolder(variables) ? partsIn(variables) : [] };
  }
  const prefix = graph.replace(/\.(meta|pb|pbtxt)$/, '');
  const wanted = [`${prefix}.index`, `${prefix}.data-00000-of-00001`];
  return { wanted, found: partsIn(folder) };
}

function partsIn(folder: string): string[] {
  return filesIn(folder)
    .filter((name) => PART.test(name))
    .map((name) => inFolder(folder, name));
}
