/** The WebAssembly module of the backend, as a data: address. Written by the build. */
export const WASM: string;
