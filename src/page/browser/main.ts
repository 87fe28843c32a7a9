import type { ScriptData } from '../script_data.js';
import { startCopying } from './copy.js';
import { byId } from './elements.js';
import { startGraph } from './graph/graph.js';
import { startLayers, startTables } from './layers.js';
import { startTheme } from './theme.js';

// The program of a page: what the document contains works without it, apart from the drawings.
const data: ScriptData = JSON.parse(byId('data').textContent);
document.documentElement.classList.add('scripted');
startTheme();
startCopying();
startTables();
startLayers(data, startGraph(data));
