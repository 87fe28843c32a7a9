// The build bundles this file: Graphviz, compiled to WebAssembly, is loaded only when something is drawn.
export { instance } from '@viz-js/viz';
