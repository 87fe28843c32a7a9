/** Whether TensorFlow accepts the name of a node (IsValidNodeName in node_def_util.cc); its own ops may begin with `_`. */
export function isNodeName(name: string): boolean {
  return /^[A-Za-z0-9._][\w.\-/>]*$/.test(name);
}

/** Whether TensorFlow accepts the name of an op (op_def_builder.cc); names of functions are not limited. */
export function isOpName(op: string): boolean {
  return /^[A-Za-z_][\w.>]*$/.test(op);
}
